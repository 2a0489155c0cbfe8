"""One line for all engines: where a place is given, and that nobody waits beside a free one."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import pytest

from glm_tts_api.speech.admission import Admission
from glm_tts_api.speech.lane import Permit
from glm_tts_api.speech.lane_limits import AdmissionConfig
from glm_tts_api.stats.figures import LANES, LaneName
from glm_tts_api.stats.lane_counts import LaneCounts, lane_counters
from tests.speech.test_lanes import ClockThatJumps, now

N_ENGINES = 4
SHORT, LONG = 5, 500  # characters


class Engines:
    """Four of them, with places in two lanes; `ranks`: how good each is; `n_slots`: what each speaks at once,
    0 while it has not said so."""

    def __init__(self, **limits: float) -> None:
        self.counters = [lane_counters() for _ in range(N_ENGINES)]
        self.ranks = [1] * N_ENGINES
        self.n_slots = [0] * N_ENGINES
        self.admission = Admission(
            AdmissionConfig(**limits),  # type: ignore[arg-type]
            self.counters,
            lambda number: self.ranks[number],
            lambda number: self.n_slots[number],
        )

    def read(self, lane: LaneName = "short_text") -> list[LaneCounts]:
        return [counters[lane].read() for counters in self.counters]

    def active(self, lane: LaneName = "short_text") -> list[int]:
        return [counts.active for counts in self.read(lane)]


def play(scenario: Callable[[Engines], Awaitable[None]], **limits: float) -> None:
    async def run() -> None:
        await scenario(Engines(**limits))

    with asyncio.Runner(loop_factory=ClockThatJumps) as runner:
        runner.run(run())


def test_a_place_is_given_where_least_is_spoken_whatever_the_lane() -> None:
    async def scenario(engines: Engines) -> None:
        async with AsyncExitStack() as stack:
            given = [
                (await stack.enter_async_context(admit(engines, n_chars))).engine
                for n_chars in (LONG, SHORT, SHORT, SHORT, SHORT, LONG)
            ]
        assert given == [0, 1, 2, 3, 0, 1]

    play(scenario)


def admit(engines: Engines, n_chars: int = SHORT) -> AbstractAsyncContextManager[Permit]:
    return engines.admission.admit(engines.admission.config.measure(n_chars), arrived_at=now())


def test_the_engine_of_the_highest_rank_that_has_a_place_is_given_it_and_one_of_rank_0_never() -> None:
    async def scenario(engines: Engines) -> None:
        engines.ranks[:] = [0, 2, 3, 3]
        async with AsyncExitStack() as stack:
            given = [(await stack.enter_async_context(admit(engines))).engine for _ in range(6)]
            assert given == [2, 3, 2, 3, 1, 1]
            waiting = asyncio.create_task(anext_place(engines))
            await asyncio.sleep(1)
            assert engines.read()[0].waiting == 1
            engines.ranks[0] = 1
            engines.admission.look_again()
            assert await waiting == 0

    play(scenario, short_limit=2)


async def anext_place(engines: Engines) -> int:
    async with admit(engines) as permit:
        return permit.engine


def test_work_that_moves_to_another_engine_counts_there_and_its_old_place_is_free() -> None:
    async def scenario(engines: Engines) -> None:
        engines.ranks[:] = [1, 0, 0, 0]
        async with admit(engines) as permit:
            waiting = asyncio.create_task(anext_place(engines))
            await asyncio.sleep(1)
            permit.move_to(2)
            assert engines.active() == [1, 0, 1, 0]
            assert await waiting == 0
        counts = engines.read()
        assert [each.total for each in counts] == [2, 0, 0, 0]
        assert [each.completed for each in counts] == [1, 0, 1, 0]
        assert engines.active() == [0] * N_ENGINES

    play(scenario, short_limit=1)


def test_an_engine_may_have_more_than_its_share_by_a_move_and_is_given_nothing_meanwhile() -> None:
    async def scenario(engines: Engines) -> None:
        async with AsyncExitStack() as stack:
            permits = [await stack.enter_async_context(admit(engines)) for _ in range(N_ENGINES)]
            permits[0].move_to(1)
            assert engines.active() == [0, 2, 1, 1]
            assert (await stack.enter_async_context(admit(engines))).engine == 0
            waiting = asyncio.create_task(anext_place(engines))
            await asyncio.sleep(1)
            permits[1].move_to(2)
            await asyncio.sleep(1)
            assert not waiting.done()  # the first has one yet
            permits[0].move_to(3)
            assert await waiting == 1

    play(scenario, short_limit=1)


def test_what_ends_without_an_engine_counts_with_the_first() -> None:
    async def scenario(engines: Engines) -> None:
        engines.ranks[:] = [0] * N_ENGINES
        waiting = asyncio.create_task(anext_place(engines))
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.wait({waiting})
        assert engines.read() == [LaneCounts(cancelled=1), *[LaneCounts()] * 3]

    play(scenario)


@pytest.mark.parametrize(
    ("n_slots", "places"),
    [(0, (15, 5)), (100, (15, 5)), (20, (15, 5)), (16, (12, 4)), (6, (5, 1)), (2, (1, 1))],
)
def test_the_lanes_of_a_small_engine_share_its_slots_in_proportion(
    n_slots: int, places: tuple[int, int]
) -> None:
    limits = AdmissionConfig().on_slots(n_slots)
    assert (limits.short_limit, limits.long_limit) == places


def test_an_engine_is_given_as_many_requests_as_it_has_said_it_speaks_at_once() -> None:
    async def scenario(engines: Engines) -> None:
        engines.ranks = [0, 1, 1, 0]
        engines.n_slots = [0, 2, 8, 0]
        async with AsyncExitStack() as stack:
            for _ in range(1 + 6):
                await stack.enter_async_context(admit(engines))
            assert engines.active() == [0, 1, 6, 0]
            waiting = asyncio.create_task(stack.enter_async_context(admit(engines)))
            await asyncio.sleep(0)
            assert engines.read()[0].waiting == 1
            engines.n_slots = [0, 20, 8, 0]  # begun again, with more memory free
            engines.admission.look_again()
            assert (await waiting).engine == 1

    play(scenario)


def test_two_hundred_at_once_leave_no_line_beside_free_places() -> None:
    """A fifth of them long, each with another length; looked at in every turn of the loop."""
    chance = random.Random(1)
    given: Counter[int] = Counter()
    seen: list[LaneName] = []

    async def scenario(engines: Engines) -> None:
        async def speak() -> None:
            n_chars = LONG if chance.random() < 0.2 else SHORT
            async with admit(engines, n_chars) as permit:
                given[permit.engine] += 1
                await asyncio.sleep(chance.uniform(0.5, 1.5))

        def look() -> None:
            for lane in LANES:
                counts = engines.read(lane)
                limit = engines.admission.config.limit_of(lane)
                assert max(each.active for each in counts) <= limit
                if counts[0].waiting:
                    seen.append(lane)
                    assert [each.active for each in counts] == [limit] * N_ENGINES

        all_done = asyncio.gather(*(speak() for _ in range(200)))
        while not all_done.done():
            await asyncio.sleep(0)
            look()
            if not seen or not all_done.done():
                await asyncio.sleep(0.01)
                look()
        await all_done

    play(scenario)
    assert {*seen} == {*LANES}
    assert sum(given.values()) == 200
    assert max(given.values()) - min(given.values()) <= 20
