"""One line for all engines: where a place is given, and that nobody waits beside a free one."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack

import pytest

from glm_tts_api.speech.admission import AdmissionConfig
from glm_tts_api.stats.figures import LANES, LaneName
from tests.speech.lanes import LONG, SHORT, Lanes, play

N_ENGINES = 4


def test_a_place_is_given_where_least_is_spoken_whatever_the_lane() -> None:
    async def scenario(lanes: Lanes) -> None:
        async with AsyncExitStack() as stack:
            given = [
                (await stack.enter_async_context(lanes.admit(n_chars))).engine
                for n_chars in (LONG, SHORT, SHORT, SHORT, SHORT, LONG)
            ]
        assert given == [0, 1, 2, 3, 0, 1]

    play(scenario, N_ENGINES, short_limit=15, long_limit=5)


def test_the_engine_of_the_highest_rank_that_has_a_place_is_given_it_and_one_of_rank_0_never() -> None:
    async def scenario(lanes: Lanes) -> None:
        lanes.ranks[:] = [0, 2, 3, 3]
        async with AsyncExitStack() as stack:
            given = [(await stack.enter_async_context(lanes.admit())).engine for _ in range(6)]
            assert given == [2, 3, 2, 3, 1, 1]
            waiting = asyncio.create_task(lanes.speak())
            await asyncio.sleep(1)
            assert lanes.counts()["waiting"] == 1
            lanes.ranks[0] = 1
            lanes.admission.look_again()
            assert await waiting == 0

    play(scenario, N_ENGINES, short_limit=2)


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
    async def scenario(lanes: Lanes) -> None:
        lanes.ranks = [0, 1, 1, 0]
        lanes.n_slots = [0, 2, 8, 0]
        async with AsyncExitStack() as stack:
            for _ in range(1 + 6):
                await stack.enter_async_context(lanes.admit())
            assert lanes.active() == [0, 1, 6, 0]
            waiting = asyncio.create_task(stack.enter_async_context(lanes.admit()))
            await asyncio.sleep(0)
            assert lanes.counts()["waiting"] == 1
            lanes.n_slots = [0, 20, 8, 0]  # begun again, with more memory free
            lanes.admission.look_again()
            assert (await waiting).engine == 1

    play(scenario, N_ENGINES, short_limit=15, long_limit=5)


def test_two_hundred_at_once_leave_no_line_beside_free_places() -> None:
    """A fifth of them long, each with another length; looked at in every turn of the loop."""
    chance = random.Random(1)
    given: Counter[int] = Counter()
    seen: list[LaneName] = []

    async def scenario(lanes: Lanes) -> None:
        async def speak() -> None:
            n_chars = LONG if chance.random() < 0.2 else SHORT
            async with lanes.admit(n_chars) as permit:
                given[permit.engine] += 1
                await asyncio.sleep(chance.uniform(0.5, 1.5))

        def look() -> None:
            for lane in LANES:
                limit, active = lanes.admission.config.limit_of(lane), lanes.active(lane)
                assert max(active) <= limit
                if lanes.counts(0, lane)["waiting"]:
                    seen.append(lane)
                    assert active == [limit] * N_ENGINES

        all_done = asyncio.gather(*(speak() for _ in range(200)))
        while not all_done.done():
            await asyncio.sleep(0)
            look()
            if not seen or not all_done.done():
                await asyncio.sleep(0.01)
                look()
        await all_done

    play(scenario, N_ENGINES, short_limit=15, long_limit=5)
    assert {*seen} == {*LANES}
    assert sum(given.values()) == 200
    assert max(given.values()) - min(given.values()) <= 20
