"""The engines of one server: which of them a request is given, and how it goes on when one of them dies.
Knows asyncio; knows no models.

An answer is a function of its request. So another engine, or the dead engine's successor, speaks the same
request again and leaves out the audio that was already sent: the client gets the same bytes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from glm_tts_api.contracts import NO_PROGRESS, Progress, ReadingOptions, SpeechRequest, Timings
from glm_tts_api.engine.child import EngineDied
from glm_tts_api.engine.state import EngineInfo, EngineState, EngineUsage, Status
from glm_tts_api.engine.stream import SpeechStream
from glm_tts_api.errors import InternalFault
from glm_tts_api.speech.lane import Permit
from glm_tts_api.speech.resumed_stream import ResumedStream
from glm_tts_api.text.reading import ShownReading

logger = logging.getLogger(__name__)
_GUILTY = 3  # deaths of engines at a text that is only read

# The best state of any is that of the server.
_FROM_THE_BEST: tuple[Status, ...] = (
    "ready",
    "idle",
    "reloading",
    "restarting",
    "stalled",
    "loading",
    "lost",
    "failed",
)


class SpeechEngine(Protocol):
    """One engine as this room knows it (engine/client.py)."""

    changed: Callable[[], None]
    state: EngineState
    n_restarts: int
    n_watchdog_exits: int

    @property
    def pid(self) -> int | None: ...
    @property
    def n_streams(self) -> int: ...
    def start(self) -> None: ...
    async def close(self) -> None: ...
    def idle_for(self, seconds: float) -> bool: ...
    def unload(self) -> None: ...
    def wake(self) -> None: ...
    async def clear_cache(self) -> int: ...
    async def read(self, text: str, options: ReadingOptions) -> ShownReading: ...
    def info(self) -> EngineInfo | None: ...
    def usage(self) -> EngineUsage | None: ...
    def synthesize(
        self,
        asked: SpeechRequest,
        timings: Timings,
        *,
        progress: Progress = NO_PROGRESS,
    ) -> SpeechStream: ...


class Engines:
    """All of them, `each` by its number. `changed` is called when one may take what it did not take before;
    `n_resumed`: requests that went on with each after the death of their engine."""

    def __init__(self, each: Sequence[SpeechEngine]) -> None:
        self.each = each
        self.changed: Callable[[], None] = lambda: None
        self.n_resumed = [0] * len(each)
        self._change = asyncio.Event()
        self._one_alone = asyncio.Lock()
        self._reserved: int | None = None
        for engine in each:
            engine.changed = self._look_again

    @property
    def state(self) -> EngineState:
        """The best that there is."""
        return min((engine.state for engine in self.each), key=lambda it: _FROM_THE_BEST.index(it.status))

    def info(self) -> EngineInfo | None:
        """The facts that all engines share; None until one was loaded."""
        return next((info for engine in self.each if (info := engine.info()) is not None), None)

    def start(self) -> None:
        for engine in self.each:
            engine.start()

    async def loaded(self) -> None:
        """Returns once one of them can speak. Raises Unhealthy if none ever will."""
        while (state := self.state).status in ("loading", "lost"):
            await self._change.wait()
        state.require_ready()

    async def close(self) -> None:
        await asyncio.gather(*(engine.close() for engine in self.each))

    def unload_idle(self, seconds: float) -> None:
        """Ends the processes of those that nobody has used for so long."""
        for engine in self.each:
            if engine.idle_for(seconds):
                engine.unload()

    def rank(self, number: int) -> int:
        """A rank for new requests: the highest for a ready engine. An engine that is still loading gets
        requests only where none is ready, and they wait for it; 0: no requests."""
        status = self.each[number].state.status
        if number == self._reserved:
            return 0
        if status in ("ready", "idle"):
            return 3 if status == "ready" else 2
        return int(status in ("reloading", "restarting") and self._best() is None)

    def n_slots(self, number: int) -> int:
        """Requests that an engine has said it speaks at once; 0 until then."""
        info = self.each[number].info()
        return info.n_slots if info is not None else 0

    async def clear_cache(self) -> int:
        """Clears the caches of all engines that have something in memory; returns the bytes freed."""
        ready = [engine for engine in self.each if engine.state.status == "ready"]
        freed = await asyncio.gather(*(engine.clear_cache() for engine in ready), return_exceptions=True)
        return sum(one for one in freed if isinstance(one, int))

    async def read(self, text: str, options: ReadingOptions) -> ShownReading:
        """The reading of a text, by any engine that is there. Raises the error with which the text is
        refused."""
        wanted = max(range(len(self.each)), key=self.rank)
        for _ in range(_GUILTY):
            wanted = await self.ready(wanted)
            try:
                return await self.each[wanted].read(text, options)
            except EngineDied as death:
                logger.warning("A text is read again, since the engine died: %s", death)
        raise InternalFault

    async def speak(self, asked: SpeechRequest, timings: Timings, permit: Permit) -> ResumedStream:
        """Starts speaking on the permit's engine, or where that died on another. Raises Unhealthy; the stream
        raises the rest."""
        return ResumedStream(self, asked, timings, permit, await self.ready(permit.engine))

    async def ready(self, wanted: int) -> int:
        """The `wanted` engine once it is ready, or the best one where that has died. Raises Unhealthy if
        there will be none."""
        while True:
            status = self.each[wanted].state.status
            if status == "ready" and wanted != self._reserved:
                return wanted
            if status == "idle":
                self.each[wanted].wake()
            elif status != "reloading" and (best := self._best()) is not None:
                return best
            self.state.require_ready()
            await self._change.wait()

    @asynccontextmanager
    async def alone(self, wanted: int) -> AsyncIterator[int]:
        """An engine that speaks nothing else meanwhile."""
        async with self._one_alone:
            number = self._reserved = await self.ready(wanted)
            try:
                while self.each[number].n_streams and self.each[number].state.status == "ready":
                    await self._change.wait()
                yield number
            finally:
                self._reserved = None
                self._look_again()

    def _best(self) -> int | None:
        """The least busy of the ready engines."""
        ready = [
            number
            for number, engine in enumerate(self.each)
            if engine.state.status == "ready" and number != self._reserved
        ]
        return min(ready, key=lambda number: self.each[number].n_streams, default=None)

    def _look_again(self) -> None:
        self._change.set()
        self._change = asyncio.Event()
        self.changed()
