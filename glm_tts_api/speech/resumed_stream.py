"""The speech of one request, which may be made by several engines one after the other. Uses asyncio; knows no
models.

If the request's engine dies, another engine continues the speech.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import InitVar, dataclass, replace
from typing import TYPE_CHECKING

from glm_tts_api.contracts import NO_PROGRESS, AudioChunk, Progress, SpeechRequest, Timings
from glm_tts_api.engine.child import EngineDied
from glm_tts_api.engine.stream import SpeechStream
from glm_tts_api.errors import FatalText
from glm_tts_api.speech.admission import Permit
from glm_tts_api.speech.request_log import RequestLog

if TYPE_CHECKING:
    from glm_tts_api.speech.engines import Engines
    from glm_tts_api.speech.verifier import Verifier

logger = logging.getLogger(__name__)
_SUSPECT = 2  # after this many deaths of engines without new audio the text is spoken alone


@dataclass(eq=False)
class ResumedStream:
    """The speech of one request: an async iterator of AudioChunk, and an async context manager that stops the
    speech when it is left. Another engine continues the speech if its engine dies.

    A text that kills engines must not end the service. After two deaths without new audio the next engine
    speaks the text alone, until there is new audio. If that engine dies too, the request ends with an error.

    `engine` is the number of the first engine. The stream holds `permit` until no engine holds anything of
    the request. `progress` is the work that was done for the request before. `log` notes each chunk, and the
    attribute `verifier` hears it; both may be None.
    """

    engines: Engines
    request: SpeechRequest
    timings: Timings
    permit: Permit
    engine: InitVar[int]
    progress: InitVar[Progress] = NO_PROGRESS
    log: RequestLog | None = None
    verifier: Verifier | None = None

    def __post_init__(self, engine: int, progress: Progress) -> None:
        self._playback = self.log.playback if self.log is not None else None
        self._tokens: dict[int, Sequence[int]] = dict(progress.tokens)  # by segment, if it is decoded
        self._segment = progress.first  # the segment that is being sent
        # How many samples of that segment were sent, and how many of these a new engine still makes again.
        self._n_heard = self._n_known = 0
        self._n_deaths = 0  # deaths of engines since the last chunk that was sent
        self._is_heard = False  # whether a chunk was sent
        self._is_alone = False  # whether the engine spoke nothing else when it began with a suspect text
        self._solitude = AsyncExitStack()
        self._stream = self._begin(engine)
        self._release = self.permit.hold()  # not if the engine has refused the request

    def _begin(self, engine: int) -> SpeechStream:
        if engine != self.permit.engine:
            self.permit.move_to(engine)
        self._n_known = self._n_heard
        request = replace(self.request, is_background=self.permit.is_background)
        stream = self.engines.each[engine].synthesize(
            request, self.timings, progress=Progress(self._tokens, self._segment)
        )
        if self._segment or self._n_heard:
            stream.sounds_until = math.inf
        elif self._playback is not None:
            stream.sounds_until = self._playback.sounds_until
        return stream

    async def anew(self, segment: int, seed: int, permit: Permit) -> ResumedStream:
        """Returns a stream that speaks the segment number `segment` again with `seed` on the place of
        `permit`, and then goes on with the segments after it. The caller leaves the stream when that segment
        ends. As before, the segment continues the speech of the segments before it. The time of this work is
        not counted in the request's timings."""
        tokens = self._tokens | self._stream.tokens
        known = {
            number: tokens[number]
            for number in tokens
            if number < segment or (number > segment and not self.request.use_cache)
        }
        request = replace(self.request, sampling=replace(self.request.sampling, seed=seed))
        engine = await self.engines.ready(permit.engine)
        return ResumedStream(self.engines, request, Timings(), permit, engine, Progress(known, segment))

    def __aiter__(self) -> ResumedStream:
        return self

    async def __anext__(self) -> AudioChunk:
        """Returns the next chunk in the order of the text. If the engine has died, waits for an engine that
        continues. Raises the ServiceError that ended the request."""
        if self._is_heard and self._playback is not None:
            self._playback.passed_on()  # the client asks for the next chunk
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

    async def __aexit__(self, *_: object) -> None:
        self._stream.close()
        self._stream.on_freed(self._release)
        await self._solitude.aclose()

    def _unheard(self, chunk: AudioChunk) -> AudioChunk | None:
        """Returns the part of a chunk that was not sent yet. Returns None if all of the chunk was sent and it
        does not end its segment. The last chunk of a segment is always returned, if need be without
        samples."""
        if not self._n_known:
            return chunk
        n_known = min(self._n_known, len(chunk.pcm))
        self._n_known -= n_known
        if n_known == len(chunk.pcm) and not chunk.ends_segment:
            return None
        return replace(chunk, pcm=chunk.pcm[n_known:])

    async def _note(self, chunk: AudioChunk) -> None:
        """Counts a chunk that is sent to the client now, and ends the reservation of an engine. If the chunk
        ends its segment, the position moves to the start of the next segment."""
        self._n_deaths, self._is_alone, self._is_heard = 0, False, True
        await self._solitude.aclose()
        if self.verifier is not None:
            self.verifier.took(chunk)
        self.timings.audio_s += chunk.seconds
        if self.log is not None:
            self.log.took(chunk, chunk.seconds / self.request.speed_of(chunk))
        self._n_heard += len(chunk.pcm)
        if chunk.ends_segment:
            self._segment, self._n_heard = chunk.segment + 1, 0

    async def _go_on(self, death: EngineDied) -> None:
        if death.is_ours:
            self._n_deaths += 1
            self.permit.is_background = False  # an interruption would lose the count of deaths
        self._tokens |= self._stream.tokens
        await self._solitude.aclose()
        if self._is_alone and death.is_ours:
            for each in self.engines.each:
                each.n_deaths = 0  # one text has caused them
            raise FatalText(
                f"{self._n_deaths} engines died while they spoke this text, the last one while it spoke "
                "nothing else: do not send it again. The server's log has the cause"
            )
        logger.warning("The request goes on with another engine: %s", death)
        if self._n_deaths >= _SUSPECT:
            engine = await self._solitude.enter_async_context(self.engines.alone(self.permit.engine))
            self._is_alone = not self.engines.each[engine].n_streams
        else:
            engine = await self.engines.ready(self.permit.engine)
        self.engines.n_resumed[engine] += 1
        self._stream = self._begin(engine)
