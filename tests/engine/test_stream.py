"""The stream: chunks in order, errors raised, work stopped when the listener leaves, freed last."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import numpy as np
import pytest

from glm_tts_api.contracts import AudioChunk
from glm_tts_api.engine.stream import SpeechStream
from glm_tts_api.errors import InternalFault


def chunk(segment: int) -> AudioChunk:
    return AudioChunk(np.zeros(4, np.float32), 24000, segment)


def make_stream(stopped: list[str]) -> SpeechStream:
    return SpeechStream(stop=lambda: stopped.append("stopped"), forget=lambda stream: None)


def from_a_thread(*calls: Callable[[], None]) -> None:
    def run() -> None:
        for call in calls:
            call()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def test_chunks_arrive_in_order_and_the_stream_ends() -> None:
    async def scene() -> list[int]:
        async with make_stream([]) as stream:
            from_a_thread(
                lambda: stream.chunk_ready(chunk(0)),
                lambda: stream.chunk_ready(chunk(1)),
                lambda: stream.request_ended(None),
            )
            return [piece.segment async for piece in stream]

    assert asyncio.run(scene()) == [0, 1]


def test_an_ended_stream_and_one_that_was_stopped_have_nothing_more_to_hear() -> None:
    async def scene() -> None:
        ended, stopped = make_stream([]), make_stream([])
        ended.request_ended(None)
        stopped.close()
        async with asyncio.timeout(10):
            for stream in (ended, ended, stopped):
                assert [piece async for piece in stream] == []

    asyncio.run(scene())


def test_the_error_that_ended_the_request_is_raised() -> None:
    async def scene() -> None:
        async with make_stream([]) as stream:
            stream.request_ended(InternalFault("broken"))
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
        assert stream.closed
        events.append("answered")
        from_a_thread(stream.request_freed)
        await asyncio.sleep(0)
        return events

    assert asyncio.run(scene()) == ["stopped", "answered", "freed"]


def test_leaving_the_context_stops_the_work_once() -> None:
    async def scene() -> list[str]:
        events: list[str] = []
        async with make_stream(events) as stream:
            stream.chunk_ready(chunk(0))
            await anext(stream)
        stream.close()
        return events

    assert asyncio.run(scene()) == ["stopped"]


def test_a_callback_added_after_the_request_was_freed_is_called_at_once() -> None:
    async def scene() -> list[str]:
        events: list[str] = []
        stream = make_stream(events)
        stream.request_freed()
        await asyncio.sleep(0)
        stream.on_freed(lambda: events.append("freed"))
        stream.close()
        return events

    assert asyncio.run(scene()) == ["freed"]
