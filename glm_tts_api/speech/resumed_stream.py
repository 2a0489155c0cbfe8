"""A request's speech, whichever engines make it. Knows asyncio; knows no models.

It goes on with another engine when its own dies, and leaves its place to others while its client takes
nothing.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING

from glm_tts_api.contracts import AudioChunk, Progress, SpeechRequest, Timings
from glm_tts_api.engine.child import EngineDied
from glm_tts_api.engine.stream import SpeechStream
from glm_tts_api.errors import InternalFault
from glm_tts_api.speech.lane import Permit

if TYPE_CHECKING:
    from glm_tts_api.speech.engines import Engines

logger = logging.getLogger(__name__)
_SUSPECT, _GUILTY = 2, 3  # deaths of its engine, with nothing of it heard between


class ResumedStream:
    """A request's speech, an async iterator of AudioChunk and the context in which it may be left early. It
    goes on with another engine when its own dies.

    A text that kills engines must not end the service. After two deaths without new audio the text is spoken
    alone on its engine, and ends with an error if that engine dies too.
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
        self._rests = False
        permit.rest = self._rest

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
                await (self._wake() if self._rests else self._go_on(death))
            except StopAsyncIteration:
                if self._stream.ended or not self._rests:
                    raise
                await self._wake()
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
        """The new part of a chunk, without the samples that were already sent."""
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

    def _rest(self) -> None:
        """Leaves the engine to others, until all that it has made is heard."""
        self._rests = True
        self._tokens |= self._stream.tokens
        self._stream.rest()
        self._stream.on_freed(self._permit.give_back)

    async def _wake(self) -> None:
        await self._solitude.aclose()
        engine = await self._engines.ready(await self._permit.regain())
        self._rests = False
        self._stream = self._begin(engine)

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
