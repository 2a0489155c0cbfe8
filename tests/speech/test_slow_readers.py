"""A client that takes nothing of its stream loses its place to those who wait, and hears all of it later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
import pytest

from glm_tts_api.contracts import NO_PROGRESS, Float32, Progress, SpeechRequest, Timings
from glm_tts_api.engine.stream import SpeechStream
from glm_tts_api.speech.clients import Client
from glm_tts_api.speech.lane_limits import TextLength
from tests.speech.test_engines import ASKED, CHUNKS, WHOLE, ScriptedEngine, Service
from tests.speech.test_lanes import ClockThatJumps, now

ANY_TIME = TextLength(5, "short_text", 3600, "SHORT_TEXT_TIMEOUT")


class BufferedEngine(ScriptedEngine):
    """Makes at most two pieces ahead of its listener, and then rests."""

    def synthesize(
        self, asked: SpeechRequest, timings: Timings, *, progress: Progress = NO_PROGRESS
    ) -> SpeechStream:
        self.begun.append((progress.first, sorted(progress.tokens)))
        *said, pause = CHUNKS
        left = [*(chunk for chunk in said if chunk.segment >= progress.first), pause]

        def say(_: float = 0.0) -> None:
            if left:
                chunk = left.pop(0)
                stream.tokens[chunk.segment] = [chunk.segment]
                stream.put(chunk)
            if not left:
                stream.put(None)
                self._forget(stream)

        stream = SpeechStream(lambda: self._forget(stream), took=say, timings=timings)
        self._streams.add(stream)
        say()
        say()
        return stream


class Hall:
    """One place; `ended`: who had all of it, and when."""

    def __init__(self, engine: ScriptedEngine) -> None:
        self.ended: dict[str, float] = {}
        self.service = Service(engine, limit=1)

    async def hear(self, client: str, *, pause_s: float) -> Float32:
        """Takes a piece, and the next `pause_s` later."""
        admitted = self.service.admission.admit(ANY_TIME, arrived_at=now(), client=Client(client))
        heard = []
        async with admitted as permit, await self.service.engines.speak(ASKED, Timings(), permit) as stream:
            stream.on_freed(permit.hold())
            async for chunk in stream:
                heard.append(chunk.pcm)
                with permit.waiting_for_client():
                    await asyncio.sleep(pause_s)
        self.ended[client] = now()
        return np.concatenate(heard)


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await scenario()

    with asyncio.Runner(loop_factory=ClockThatJumps) as runner:
        runner.run(run())


@pytest.mark.parametrize("engine", [ScriptedEngine, BufferedEngine])
def test_one_block_each_59_seconds_keeps_a_place_from_nobody(engine: type[ScriptedEngine]) -> None:
    async def scenario() -> None:
        hall = Hall(engine())
        slow = asyncio.create_task(hall.hear("slow", pause_s=59))
        await asyncio.sleep(1)
        quick = [asyncio.create_task(hall.hear(f"quick{number}", pause_s=0)) for number in range(3)]
        for heard in await asyncio.gather(slow, *quick):
            np.testing.assert_array_equal(heard, WHOLE)
        assert max(hall.ended[f"quick{number}"] for number in range(3)) < 59
        assert hall.service.active == [0]

    play(scenario)


@pytest.mark.parametrize(("waits", "pause_s"), [(False, 59), (True, 12)])
def test_who_reads_as_it_is_heard_or_keeps_nobody_waiting_keeps_the_place(
    waits: bool, pause_s: float
) -> None:
    async def scenario() -> None:
        engine = BufferedEngine()
        hall = Hall(engine)
        slow = asyncio.create_task(hall.hear("slow", pause_s=pause_s))
        await asyncio.sleep(1)
        others = [asyncio.create_task(hall.hear("other", pause_s=0)) for _ in range(waits)]
        np.testing.assert_array_equal(await slow, WHOLE)
        await asyncio.gather(*others)
        assert len(engine.begun) == 1 + len(others)
        assert list(hall.ended) == ["slow", "other"][: 1 + len(others)]

    play(scenario)


def test_a_slow_reader_that_leaves_while_it_has_no_place_gives_none_back() -> None:
    async def scenario() -> None:
        engine = BufferedEngine()
        hall = Hall(engine)
        slow = asyncio.create_task(hall.hear("slow", pause_s=59))
        await asyncio.sleep(1)
        other = asyncio.create_task(hall.hear("other", pause_s=30))
        await asyncio.sleep(25)
        assert (hall.service.active, len(engine.begun)) == ([1], 2)  # the place is the other's
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
        assert hall.service.active == [1]
        np.testing.assert_array_equal(await other, WHOLE)
        assert hall.service.active == [0]

    play(scenario)
