"""Which engine speaks, and how a request goes on when one dies. The engines are scripted; real ones die in
tests/engine and scripts/checks/soak.py."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest

from glm_tts_api.contracts import (
    NO_PROGRESS,
    AudioChunk,
    Float32,
    Progress,
    Recording,
    SpeechRequest,
    Timings,
    Voice,
)
from glm_tts_api.engine.child import EngineDied
from glm_tts_api.engine.state import EngineInfo, EngineState
from glm_tts_api.engine.stream import SpeechStream
from glm_tts_api.errors import InternalFault, Unhealthy
from glm_tts_api.speech.background_slots import BackgroundSlots
from speech_text import ReadingOptions, ShownReading
from tests.speech.lanes import Service, now

RATE = 24000
VOICE = Voice(Recording(np.zeros(8, np.float32), 16000), "", "0")
ASKED = SpeechRequest("id", "text", VOICE)
# Of three segments the pieces, with a pause before the second and after the last.
CHUNKS = [
    AudioChunk(np.full(4, 1.0, np.float32), RATE, 0, False),
    AudioChunk(np.full(2, 2.0, np.float32), RATE, 0, True),
    AudioChunk(np.full(3, 0.0, np.float32), RATE, 1, False, None),
    AudioChunk(np.full(5, 3.0, np.float32), RATE, 1, True),
    AudioChunk(np.full(4, 4.0, np.float32), RATE, 2, False),
    AudioChunk(np.full(1, 5.0, np.float32), RATE, 2, True),
    AudioChunk(np.full(2, 0.5, np.float32), RATE, 2, False, None),
]
WHOLE = np.concatenate([chunk.pcm for chunk in CHUNKS])


class ScriptedEngine:
    """Says CHUNKS from the wanted segment on, and dies after as many pieces as `dies_after` has for each of
    its lives; then it is there again."""

    def __init__(self, *dies_after: int) -> None:
        self.changed: Callable[[], None] = lambda: None
        self.state = EngineState("ready")
        self.n_deaths = 0
        self.begun: list[tuple[int, list[int]]] = []
        self.gave_way: list[bool] = []
        self._dies_after = list(dies_after)
        self._streams: set[SpeechStream] = set()

    @property
    def n_streams(self) -> int:
        return len(self._streams)

    def synthesize(
        self,
        asked: SpeechRequest,
        timings: Timings,
        *,
        progress: Progress = NO_PROGRESS,
    ) -> SpeechStream:
        self.begun.append((progress.first, sorted(progress.tokens)))
        self.gave_way.append(asked.is_background)
        stream = SpeechStream(lambda: self._forget(stream), timings=timings)
        self._streams.add(stream)
        asyncio.get_running_loop().call_soon(self._say, stream, progress.first)
        return stream

    def _say(self, stream: SpeechStream, first: int) -> None:
        left = [chunk for at, chunk in enumerate(CHUNKS) if chunk.segment >= first or at == len(CHUNKS) - 1]
        n_said = self._dies_after.pop(0) if self._dies_after else len(left)
        for chunk in left[:n_said]:
            stream.tokens[chunk.segment] = [chunk.segment]
            stream.put(chunk)
        if n_said == len(left):
            stream.put(None)
            self._forget(stream)
            return
        self.die()

    def die(self) -> None:
        death = EngineDied("it was told to die", is_ours=True)
        for stream in list(self._streams):
            stream.put(death)
            self._forget(stream)
        self.become("restarting")
        asyncio.get_running_loop().call_soon(self.become, "ready")

    def become(self, status: Any, cause: str | None = None) -> None:
        self.state = EngineState(status, cause)
        self.changed()

    def _forget(self, stream: SpeechStream) -> None:
        self._streams.discard(stream)
        stream.freed()
        self.changed()

    def unload(self) -> None:
        self.become("idle")

    def wake(self) -> None:
        self.become("reloading")
        asyncio.get_running_loop().call_soon(self.become, "ready")

    async def clear_cache(self) -> int:
        raise EngineDied("it was told to die")

    async def read(self, text: str, options: ReadingOptions) -> ShownReading:
        raise EngineDied("it was told to die")

    def info(self) -> EngineInfo | None:
        return None


class Spoken(Service):
    """A service of scripted engines."""

    def __init__(self, *engines: ScriptedEngine, limit: int = 2) -> None:
        super().__init__(engines, short_limit=limit)

    async def say(self, heard: list[AudioChunk] | None = None) -> Float32:
        heard = [] if heard is None else heard
        async with self.speaking(ASKED) as stream:
            heard += [chunk async for chunk in stream]
        return np.concatenate([chunk.pcm for chunk in heard])

    @property
    def active(self) -> list[int]:
        numbers = range(len(self.engines.each))
        return [self.admission.counts_on(engine)["short_text"]["active"] for engine in numbers]


def run(scene: Callable[[], Awaitable[None]]) -> None:
    async def within_time() -> None:
        async with asyncio.timeout(30):
            await scene()

    asyncio.run(within_time())


def test_background_work_is_spoken_as_a_request_once_an_engine_has_died_at_it() -> None:
    async def scene() -> None:
        engine = ScriptedEngine(0)
        service = Spoken(engine)
        slots = BackgroundSlots(service.admission, 1)
        async with slots.place() as permit, await service.engines.speak(ASKED, Timings(), permit) as stream:
            assert len([chunk async for chunk in stream]) == len(CHUNKS)
        assert engine.gave_way == [True, False]

    run(scene)


def test_who_waits_for_an_engine_hears_when_there_will_be_none() -> None:
    async def scene() -> None:
        engine = ScriptedEngine()
        service = Spoken(engine)
        engine.become("restarting")
        waiting = asyncio.create_task(service.say())
        await asyncio.sleep(0)
        engine.become("failed", "the card is gone")
        with pytest.raises(Unhealthy):
            await waiting
        assert service.active == [0]

    run(scene)


def test_idle_engines_are_woken_where_the_ready_ones_are_full() -> None:
    async def scene() -> None:
        busy, idle = ScriptedEngine(), ScriptedEngine()
        service = Spoken(busy, idle, limit=1)
        idle.unload()
        async with service.admission.admit(service.length, arrived_at=now()) as permit:
            assert permit.engine == 0
            np.testing.assert_array_equal(await service.say(), WHOLE)
        assert len(idle.begun) == 1

    run(scene)


def test_reading_goes_to_a_live_engine_and_a_cache_of_a_dead_one_is_empty() -> None:
    async def scene() -> None:
        engines = Spoken(ScriptedEngine()).engines
        with pytest.raises(InternalFault):
            await engines.read("text", ReadingOptions())
        assert await engines.clear_cache() == 0

    run(scene)
