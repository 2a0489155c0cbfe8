"""The places that no request has: who gets them, and who gives them back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from glm_tts_api.errors import QueueFull
from glm_tts_api.speech.admission import Permit
from glm_tts_api.speech.background_slots import BackgroundSlots
from tests.speech import lanes as plain
from tests.speech.lanes import LONG, SHORT, Lanes, now


def play(
    scenario: Callable[[Lanes, BackgroundSlots], Awaitable[None]], *, n_engines: int = 1, most: int = 4
) -> None:
    """Engines with two short places and one long."""

    async def beside(lanes: Lanes) -> None:
        await scenario(lanes, BackgroundSlots(lanes.admission, n_engines, most=most))

    plain.play(beside, n_engines, short_text=2)


@asynccontextmanager
async def request(lanes: Lanes, n_chars: int = SHORT) -> AsyncIterator[None]:
    length = replace(lanes.admission.config.measure(n_chars), timeout_s=1e6)
    async with lanes.admission.admit(length, arrived_at=now()):
        yield


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class Work:
    """Work that holds a place until it is told to `end` or has to give way."""

    def __init__(self, slots: BackgroundSlots) -> None:
        self.engine: int | None = None
        self.permit: Permit | None = None
        self.end = asyncio.Event()
        self.task = asyncio.create_task(self._run(slots))

    async def _run(self, slots: BackgroundSlots) -> None:
        async with slots.place() as permit:
            self.permit, self.engine = permit, permit.engine
            await self.end.wait()


def test_those_who_wait_have_their_turns_in_the_order_in_which_they_came() -> None:
    async def scenario(lanes: Lanes, slots: BackgroundSlots) -> None:
        works = [Work(slots) for _ in range(5)]
        await settled()
        assert [work.engine is not None for work in works] == [True, True, False, False, False]
        works[0].end.set()
        await settled()
        assert [work.engine is not None for work in works] == [True, True, True, False, False]
        works[3].task.cancel()
        works[1].end.set()
        await settled()
        assert works[4].engine is not None

    play(scenario, most=2)


def test_the_last_gives_way_to_a_request_that_needs_its_place() -> None:
    async def scenario(lanes: Lanes, slots: BackgroundSlots) -> None:
        works = [Work(slots) for _ in range(3)]
        await settled()
        async with request(lanes):
            await settled()
            assert [work.task.done() for work in works] == [False, False, True]
            with pytest.raises(QueueFull) as refused:
                await works[2].task
            assert refused.value.retry_after_s
            again = Work(slots)
            await settled()
            assert again.engine is None, "there is no place for it"
        await settled()
        assert again.engine == 0

    play(scenario)


def test_work_at_which_an_engine_died_keeps_its_place_and_other_work_gives_way() -> None:
    async def scenario(lanes: Lanes, slots: BackgroundSlots) -> None:
        works = [Work(slots) for _ in range(3)]
        await settled()
        assert works[2].permit is not None
        works[2].permit.is_background = False
        async with request(lanes):
            await settled()
            assert [work.task.done() for work in works] == [False, True, False]

    play(scenario)


def test_a_part_of_work_that_is_due_gets_the_next_place_and_keeps_it() -> None:
    async def scenario(lanes: Lanes, slots: BackgroundSlots) -> None:
        async with request(lanes), request(lanes), request(lanes, LONG), asyncio.timeout(5):
            before = Work(slots)
            await settled()
            async with slots.place(is_due=True) as permit:
                assert (permit.is_background, before.engine) == (False, None)
                before.task.cancel()

    play(scenario)


def test_work_is_spread_and_follows_its_engines_successor() -> None:
    async def scenario(lanes: Lanes, slots: BackgroundSlots) -> None:
        async with slots.place() as first, slots.place() as second:
            assert {first.engine, second.engine} == {0, 1}
            slots.move(first, second.engine)
            third = Work(slots)
            await settled()
            assert third.engine == 1 - second.engine
            third.task.cancel()
        last = Work(slots)
        await settled()
        assert last.engine is not None

    play(scenario, n_engines=2, most=2)
