"""Clients in one lane: the next place goes round them, and a full line makes room for who has less of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from glm_tts_api.errors import QueueFull
from glm_tts_api.speech.clients import Client
from tests.speech.lanes import LONG, SHORT, Lanes, now, play

A, B, C = map(Client, "ABC")


class Crowd:
    """Requests of clients, each for a second; `begun`: whose was given a place, in order."""

    def __init__(self, lanes: Lanes) -> None:
        self.begun: list[str] = []
        self.lanes = lanes

    def come(self, client: Client, n: int = 1, *, n_chars: int = SHORT) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(self._ask(client, n_chars)) for _ in range(n)]

    async def _ask(self, client: Client, n_chars: int) -> None:
        async with self.lanes.admit(n_chars, client):
            self.begun.append(client.name)
            await asyncio.sleep(1)


def scene(play_it: Callable[[Crowd], Awaitable[None]], **limits: float) -> None:
    async def scenario(lanes: Lanes) -> None:
        await play_it(Crowd(lanes))
        assert (lanes.counts()["active"], lanes.counts()["waiting"]) == (0, 0)

    play(scenario, 1, **{"short_timeout_s": 3600, "queue_size": 1000, **limits})


@pytest.mark.parametrize("places", [1, 3])
def test_a_single_request_waits_for_one_place_beside_two_hundred_of_another_client(places: int) -> None:
    async def play_it(crowd: Crowd) -> None:
        many = crowd.come(A, 200)
        await asyncio.sleep(10.5)
        came_at, (single,) = now(), crowd.come(B)
        await single
        assert now() - came_at <= 1 + 1  # what was going on, and its own second
        await asyncio.gather(*many)

    scene(play_it, short_text=places)


def test_clients_that_always_have_something_to_say_take_turns() -> None:
    async def play_it(crowd: Crowd) -> None:
        many = crowd.come(A, 6)
        await asyncio.sleep(0.5)

        async def one_after_the_other(client: Client) -> None:
            for _ in range(6):
                await asyncio.gather(*crowd.come(client))

        await asyncio.gather(one_after_the_other(B), one_after_the_other(C), *many)
        for at in range(1, 16, 3):
            assert sorted(crowd.begun[at : at + 3]) == ["A", "B", "C"]

    scene(play_it)


def test_the_requests_of_one_client_keep_their_order_and_the_line_tells_the_turns() -> None:
    async def play_it(crowd: Crowd) -> None:
        waiting = [*crowd.come(A, 4), *crowd.come(B, 2), *crowd.come(C)]
        await asyncio.sleep(0)
        assert crowd.lanes.admission.lanes["short_text"].order() == [*"BCABAA"]
        assert crowd.lanes.admission.lanes["long_text"].order() == []
        waiting[1].cancel()  # the oldest of A's that wait
        await asyncio.gather(*waiting, return_exceptions=True)
        assert crowd.begun == [*"ABCABA"]

    scene(play_it)


def test_a_full_line_makes_room_for_a_client_that_has_less_of_it() -> None:
    async def play_it(crowd: Crowd) -> None:
        many = crowd.come(A, 5)  # one speaks, four wait
        await asyncio.sleep(0)
        others = crowd.come(B, 3)
        refused = await asyncio.gather(*many, *others, return_exceptions=True)
        assert [type(each) for each in refused[:5]] == [type(None)] * 3 + [QueueFull] * 2
        assert [type(each) for each in refused[5:]] == [type(None)] * 2 + [QueueFull]
        told = [each for each in refused if isinstance(each, QueueFull)]
        for each, own in zip(told, (3, 4, 2), strict=True):
            assert f"4 requests wait in the short_text lane, {own} of them from this client" in each.message
            assert "QUEUE_MAX_SIZE=4" in each.message
            assert each.retry_after_s

    scene(play_it, queue_size=4)


def test_a_client_holds_no_more_places_than_it_may_and_keeps_nobody_from_the_others() -> None:
    async def play_it(crowd: Crowd) -> None:
        capped = Client("capped", is_named=True, places=1)
        waiting = [*crowd.come(capped, 2), *crowd.come(capped, n_chars=LONG), *crowd.come(A, 2)]
        await asyncio.sleep(0.5)
        assert crowd.begun == ["capped", "A", "A"]
        await asyncio.sleep(1)
        assert crowd.begun == ["capped", "A", "A", "capped"]  # one lane or the other
        await asyncio.gather(*waiting)

    scene(play_it, short_text=3)
