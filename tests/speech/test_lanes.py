"""Lanes: bounded, timed from arrival; a place is free only when the engine is. Which of several engines gives
a place."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from glm_tts_api.errors import DeadlineExceeded
from tests.speech.lanes import LONG, SHORT, Lanes, play

N_ENGINES = 4


def test_an_answer_may_still_be_sent_once_the_deadline_has_passed() -> None:
    async def scenario(lanes: Lanes) -> None:
        async def client() -> None:
            async with lanes.admit() as permit:
                try:
                    await asyncio.sleep(3600)
                finally:
                    with permit.waiting_for_client():
                        await asyncio.sleep(0)

        with pytest.raises(DeadlineExceeded):
            await client()

    play(scenario)


def test_the_deadline_counts_from_arrival_and_covers_wait_and_work() -> None:
    async def scenario(lanes: Lanes) -> None:
        with pytest.raises(DeadlineExceeded):  # while working
            await lanes.speak(3600)
        async with lanes.admit(came_s_ago=-60):
            with pytest.raises(DeadlineExceeded):  # while waiting
                await lanes.speak()
        with pytest.raises(DeadlineExceeded):  # before it was let in
            async with lanes.admit(came_s_ago=61):
                await asyncio.sleep(0)
        counts = lanes.counts()
        assert (counts["timed_out"], counts["active"], counts["waiting"]) == (3, 0, 0)

    play(scenario)


def test_a_place_is_given_where_least_is_spoken_whatever_the_lane() -> None:
    async def scenario(lanes: Lanes) -> None:
        async with AsyncExitStack() as stack:
            given = [
                (await stack.enter_async_context(lanes.admit(n_chars))).engine
                for n_chars in (LONG, SHORT, SHORT, SHORT, SHORT, LONG)
            ]
        assert given == [0, 1, 2, 3, 0, 1]

    play(scenario, N_ENGINES, short_text=15, long_text=5)


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

    play(scenario, N_ENGINES, short_text=2)


def test_an_engine_is_given_as_many_requests_as_it_has_said_it_speaks_at_once() -> None:
    async def scenario(lanes: Lanes) -> None:
        lanes.ranks = [0, 1, 1, 0]
        lanes.n_rows = [0, 2, 8, 0]
        async with AsyncExitStack() as stack:
            for _ in range(1 + 6):
                await stack.enter_async_context(lanes.admit())
            assert lanes.active() == [0, 1, 6, 0]
            waiting = asyncio.create_task(stack.enter_async_context(lanes.admit()))
            await asyncio.sleep(0)
            assert lanes.counts()["waiting"] == 1
            lanes.n_rows = [0, 20, 8, 0]  # begun again, with more memory free
            lanes.admission.look_again()
            assert (await waiting).engine == 1

    play(scenario, N_ENGINES, short_text=15, long_text=5)
