"""The stream: chunks in order, errors raised, work stopped when the listener leaves, freed last."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import numpy as np
import pytest

from glm_tts_api.contracts import AudioChunk
from glm_tts_api.engine.stream import SpeechStream
from glm_tts_api.errors import InternalFault


def chunk(segment: int) -> AudioChunk:
    return AudioChunk(np.zeros(4, np.float32), 24000, segment)


def make_stream(events: list[str]) -> SpeechStream:
    return SpeechStream(left=lambda: events.append("left"))


def test_chunks_arrive_in_order_and_the_stream_ends() -> None:
    async def scene() -> list[int]:
        async with make_stream([]) as stream:
            for item in (chunk(0), chunk(1), None):
                stream.put(item)
            return [piece.segment async for piece in stream]

    assert asyncio.run(scene()) == [0, 1]


def test_the_error_that_ended_the_request_is_raised() -> None:
    async def scene() -> None:
        async with make_stream([]) as stream:
            stream.put(InternalFault("broken"))
            async for _ in stream:
                pass

    with pytest.raises(InternalFault, match="broken"):
        asyncio.run(scene())


def test_cancelling_the_listener_stops_the_work_and_frees_later() -> None:
    async def scene() -> list[str]:
        events: list[str] = []
        stream = make_stream(events)
        stream.on_freed(lambda: events.append("freed"))

        async def listen() -> None:
            async for _ in stream:
                pass

        task = asyncio.create_task(listen())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        events.append("answered")
        stream.freed()
        stream.freed()
        return events

    assert asyncio.run(scene()) == ["left", "answered", "freed"]


def waiting(segment: int, wait_s: float) -> AudioChunk:
    return replace(chunk(segment), wait_s=wait_s)


@pytest.mark.parametrize("later", [waiting(1, 0.0), None, InternalFault("broken")])
def test_what_waits_for_its_player_leaves_when_more_lets_it_start_or_no_more_comes(
    later: AudioChunk | Exception | None,
) -> None:
    async def scene() -> int:
        async with make_stream([]) as stream:
            stream.put(waiting(0, 3600))
            stream.put(later)
            return (await anext(stream)).segment

    assert asyncio.run(asyncio.wait_for(scene(), 60)) == 0


def test_a_wait_ends_by_itself_and_nothing_waits_after_it() -> None:
    async def scene() -> list[int]:
        async with make_stream([]) as stream:
            stream.put(waiting(0, 0.01))
            first = await anext(stream)
            stream.put(waiting(1, 3600))
            return [first.segment, (await anext(stream)).segment]

    assert asyncio.run(asyncio.wait_for(scene(), 60)) == [0, 1]


async def test_nothing_is_heard_before_its_player_may_start() -> None:
    async with make_stream([]) as stream:
        stream.put(waiting(0, 3600))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.01)


def test_who_has_something_to_play_until_then_waits_for_nothing() -> None:
    async def scene() -> int:
        async with make_stream([]) as stream:
            stream.sounds_until = time.perf_counter() + 7200
            stream.put(waiting(0, 3600))
            return (await anext(stream)).segment

    assert asyncio.run(asyncio.wait_for(scene(), 60)) == 0
