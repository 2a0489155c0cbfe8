"""Lanes: bounded, timed from arrival; a place is free only when the engine is. Which of several engines gives
a place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest

from glm_tts_api.errors import DeadlineExceeded, NothingToSay, QueueFull
from tests.speech.lanes import LONG, SHORT, Lanes, counted, play

N_ENGINES = 4


def test_a_permit_tells_how_much_of_its_time_is_used_up() -> None:
    async def scenario(lanes: Lanes) -> None:
        async with lanes.admit() as permit:
            assert permit.timeout_ratio == 0
        async with lanes.admit(came_s_ago=1800) as permit:
            assert permit.timeout_ratio == 0.5

    play(scenario, short_timeout_s=3600)


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


@pytest.mark.parametrize("queue_size", [0, 2])
def test_a_full_line_sends_away_at_once(queue_size: int) -> None:
    async def scenario(lanes: Lanes) -> None:
        tasks = [asyncio.create_task(lanes.speak(3600)) for _ in range(1 + queue_size)]
        await asyncio.sleep(0)
        with pytest.raises(QueueFull) as refusal:
            await lanes.speak()
        assert refusal.value.retry_after_s
        assert lanes.counts() == counted(active=1, waiting=queue_size, rejected=1, total=1)
        await lanes.speak(n_chars=LONG)  # the long lane is a lane of its own
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert lanes.counts() == counted(total=1, cancelled=1 + queue_size, rejected=1)
        await lanes.speak()

    play(scenario, queue_size=queue_size)


def test_of_those_that_are_sent_away_each_is_to_come_back_later_than_the_one_before() -> None:
    async def scenario(lanes: Lanes) -> None:
        async with lanes.admit():
            times = [await refused_for(lanes) for _ in range(40)]
            assert times == sorted(times)
            assert len({*times[:8]}) == 8
            assert 0 < times[0] < times[-1] <= 60

    play(scenario, queue_size=0)


async def refused_for(lanes: Lanes) -> float:
    with pytest.raises(QueueFull) as refusal:
        await lanes.speak()
    assert refusal.value.retry_after_s is not None
    return round(refusal.value.retry_after_s, 1)


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


@pytest.mark.parametrize("error", [TimeoutError(), NothingToSay("nothing")], ids=["time-out", "refusal"])
def test_an_error_of_the_work_counts_as_failed_and_frees_the_place(error: Exception) -> None:
    async def scenario(lanes: Lanes) -> None:
        with pytest.raises(type(error)):
            async with lanes.admit():
                raise error
        assert lanes.counts() == counted(total=1, failed=1)

    play(scenario)


def test_the_place_is_free_only_when_the_engine_has_let_go() -> None:
    async def scenario(lanes: Lanes) -> None:
        held: list[Callable[[], None]] = []

        async def client_that_runs_out_of_time() -> None:
            async with lanes.admit() as permit:
                held.append(permit.hold())
                await asyncio.sleep(3600)

        with pytest.raises(DeadlineExceeded):
            await client_that_runs_out_of_time()
        assert (lanes.counts()["active"], lanes.counts()["timed_out"]) == (1, 1)
        waiting = asyncio.create_task(lanes.speak(n_chars=60))
        await asyncio.sleep(0.01)
        assert lanes.counts()["waiting"] == 1
        held[0]()
        held[0]()  # heard twice, it still frees one place
        await waiting
        assert (lanes.counts()["active"], lanes.counts()["completed"]) == (0, 1)
        async with lanes.admit(60):
            waiting = asyncio.create_task(lanes.speak(n_chars=60))
            await asyncio.sleep(0)
            assert (lanes.counts()["active"], lanes.counts()["waiting"]) == (1, 1)
        await waiting

    play(scenario)


def test_a_place_that_comes_free_as_the_next_in_line_leaves_is_for_the_one_behind() -> None:
    async def scenario(lanes: Lanes) -> None:
        async with lanes.admit():
            leaving, behind = asyncio.create_task(lanes.speak()), asyncio.create_task(lanes.speak())
            await asyncio.sleep(1)
            leaving.cancel()
        await behind
        assert lanes.counts() == counted(total=2, completed=2, cancelled=1)

    play(scenario)


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
