"""The stream: chunks in order, errors raised, work stopped when the listener leaves, freed last."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from glm_tts_api.contracts import AudioChunk
from glm_tts_api.engine.stream import SpeechStream
from glm_tts_api.errors import InternalFault


def chunk(segment: int, wait_s: float = 0.0) -> AudioChunk:
    return AudioChunk(np.zeros(4, np.float32), 24000, segment, wait_s=wait_s)


@pytest.fixture
def stream() -> SpeechStream:
    return SpeechStream(left=lambda: None)


async def heard(stream: SpeechStream, n: int = 1) -> list[int]:
    async with asyncio.timeout(60):
        return [(await anext(stream)).segment for _ in range(n)]


async def test_chunks_arrive_in_order_and_the_stream_ends(stream: SpeechStream) -> None:
    for item in (chunk(0), chunk(1), None):
        stream.put(item)
    assert [piece.segment async for piece in stream] == [0, 1]


async def test_the_error_that_ended_the_request_is_raised(stream: SpeechStream) -> None:
    stream.put(InternalFault("broken"))
    with pytest.raises(InternalFault, match="broken"):
        await heard(stream)


async def test_cancelling_the_listener_stops_the_work_and_frees_later() -> None:
    events: list[str] = []
    stream = SpeechStream(left=lambda: events.append("left"))
    stream.on_freed(lambda: events.append("freed"))
    task = asyncio.create_task(heard(stream))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    events.append("answered")
    stream.freed()
    stream.freed()
    assert events == ["left", "answered", "freed"]


@pytest.mark.parametrize("later", [chunk(1), None, InternalFault("broken")])
async def test_what_waits_for_its_player_leaves_when_more_lets_it_start_or_no_more_comes(
    stream: SpeechStream, later: AudioChunk | Exception | None
) -> None:
    stream.put(chunk(0, wait_s=3600))
    first = asyncio.create_task(heard(stream))
    await asyncio.sleep(0.01)
    assert not first.done()
    stream.put(later)
    assert await first == [0]


async def test_a_wait_ends_by_itself_and_nothing_waits_after_it(stream: SpeechStream) -> None:
    stream.put(chunk(0, wait_s=0.01))
    assert await heard(stream) == [0]
    stream.put(chunk(1, wait_s=3600))
    assert await heard(stream) == [1]


async def test_who_has_something_to_play_until_then_waits_for_nothing(stream: SpeechStream) -> None:
    stream.sounds_until = time.perf_counter() + 7200
    stream.put(chunk(0, wait_s=3600))
    assert await heard(stream) == [0]
