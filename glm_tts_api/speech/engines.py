"""The engines of one server: which of them a request is given, and how it goes on when one of them dies.
Knows asyncio; knows no models.

An answer is a function of its request: so what a dead engine had yet to say is said by another one, or by its
successor. What was heard of it before is left out, and the client gets the same bytes.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from types import TracebackType
from typing import Protocol

from glm_tts_api.contracts import NO_PROGRESS, AudioChunk, LexiconEntry, Progress, SpeechRequest, Timings
from glm_tts_api.engine.child import EngineDied
from glm_tts_api.engine.state import EngineInfo, EngineState, EngineUsage, Status
from glm_tts_api.engine.stream import SpeechStream
from glm_tts_api.errors import InternalFault
from glm_tts_api.speech.lane import Permit
from glm_tts_api.text.reading import ShownReading

logger = logging.getLogger(__name__)
_SUSPECT, _GUILTY = 2, 3  # deaths of its engine, with nothing of it heard between

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
    async def read(
        self, text: str, lexicon: Sequence[LexiconEntry], *, use_phoneme: bool
    ) -> ShownReading: ...
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
        """What all have in common; None until one was loaded."""
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
        """How good an engine is for a new request: best if it is ready. One that is not there yet is given
        requests only where none is ready, and those wait for it; 0: none."""
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
        """Of all that have something in memory; the bytes freed."""
        ready = [engine for engine in self.each if engine.state.status == "ready"]
        freed = await asyncio.gather(*(engine.clear_cache() for engine in ready), return_exceptions=True)
        return sum(one for one in freed if isinstance(one, int))

    async def read(self, text: str, lexicon: Sequence[LexiconEntry], *, use_phoneme: bool) -> ShownReading:
        """How a text is read, by whichever engine is there. Raises what a text is refused with."""
        wanted = max(range(len(self.each)), key=self.rank)
        for _ in range(_GUILTY):
            wanted = await self.ready(wanted)
            try:
                return await self.each[wanted].read(text, lexicon, use_phoneme=use_phoneme)
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
        """Of the engines that are ready the one with least to do."""
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


class ResumedStream:
    """A request's speech, an async iterator of AudioChunk and the context in which it may be left early. It
    goes on with another engine when its own dies.

    A text that takes engines down must not take the service down: where two have died at it by themselves and
    nothing new was heard, it is spoken alone, and ends with an error if that engine dies too.
    """

    def __init__(
        self, engines: Engines, asked: SpeechRequest, timings: Timings, permit: Permit, engine: int
    ) -> None:
        self.timings = timings
        self._engines = engines
        self._asked = asked
        self._permit = permit
        self._tokens: dict[int, list[int]] = {}  # of segments that are decoded
        self._segment = 0  # the one that is being heard
        self._n_heard = self._n_known = 0  # samples of it that were heard, and of those what is said again
        self._n_deaths = 0  # with nothing heard between
        self._freed: list[Callable[[], None]] = []
        self._solitude = AsyncExitStack()
        self._stream = self._begin(engine)

    def _begin(self, engine: int) -> SpeechStream:
        if engine != self._permit.engine:
            self._permit.move_to(engine)
        self._n_known = self._n_heard
        stream = self._engines.each[engine].synthesize(
            self._asked, self.timings, progress=Progress(self._tokens, self._segment)
        )
        if self._segment or self._n_heard:
            stream.sounds_until = math.inf
        return stream

    def goes_on_from(self, sounds_until: float) -> None:
        """The client has something to play until then, on time.perf_counter's clock."""
        self._stream.sounds_until = sounds_until

    def __aiter__(self) -> ResumedStream:
        return self

    async def __anext__(self) -> AudioChunk:
        """The next chunk in the order of the text; raises the ServiceError that ended the request."""
        while True:
            try:
                chunk = await anext(self._stream)
            except EngineDied as death:
                await self._go_on(death)
            else:
                if (new := self._unheard(chunk)) is not None:
                    await self._note(new)
                    return new

    async def __aenter__(self) -> ResumedStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        for callback in self._freed:
            self._stream.on_freed(callback)
        await self._solitude.aclose()

    def on_freed(self, callback: Callable[[], None]) -> None:
        """Calls `callback` once the context was left and no engine holds anything of the request."""
        self._freed.append(callback)

    def _unheard(self, chunk: AudioChunk) -> AudioChunk | None:
        """What is new in a chunk."""
        if not self._n_known:
            return chunk
        n_known = min(self._n_known, len(chunk.pcm))
        self._n_known -= n_known
        if n_known == len(chunk.pcm) and not chunk.ends_segment:
            return None
        return replace(chunk, pcm=chunk.pcm[n_known:])

    async def _note(self, chunk: AudioChunk) -> None:
        """A chunk that is heard now. The silence after the last segment belongs to none that comes."""
        self._n_deaths = 0
        await self._solitude.aclose()
        self.timings.audio_s += chunk.seconds
        self._n_heard += len(chunk.pcm)
        if chunk.ends_segment:
            self._segment, self._n_heard = chunk.segment + 1, 0

    async def _go_on(self, death: EngineDied) -> None:
        self._n_deaths += death.is_ours
        self._tokens |= self._stream.tokens
        await self._solitude.aclose()
        logger.warning("The request goes on with another engine: %s", death)
        if self._n_deaths == _GUILTY:
            raise InternalFault(
                f"The engine died {_GUILTY} times while this text was spoken; the server's log has the cause"
            )
        if self._n_deaths == _SUSPECT and death.is_ours:
            engine = await self._solitude.enter_async_context(self._engines.alone(self._permit.engine))
        else:
            engine = await self._engines.ready(self._permit.engine)
        self._engines.n_resumed[engine] += 1
        self._stream = self._begin(engine)
