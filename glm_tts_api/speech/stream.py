"""The speech of one request: its audio as it arrives on the event loop. Uses asyncio; knows no models.

Several engines may make it, one after the other: if the request's engine dies, another engine continues.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import pairwise
from statistics import fmean, median
from typing import TYPE_CHECKING

from glm_tts_api.contracts import AudioChunk, SpeechRequest, Timings
from glm_tts_api.engine import messages
from glm_tts_api.engine.child import EngineDied
from glm_tts_api.engine.messages import error_of
from glm_tts_api.errors import DeadlineExceeded, FatalText
from glm_tts_api.speech.admission import Permit
from glm_tts_api.speech.request_log import RequestLog

if TYPE_CHECKING:
    from glm_tts_api.speech.engines import Engines
    from glm_tts_api.speech.verifier import Verifier

logger = logging.getLogger(__name__)
_SUSPECT = 2  # after this many deaths of engines without new audio the text is spoken alone
_LEAST_SEGMENTS = 5  # the pace of an answer is judged after this many segments
_MARGIN = 1.5  # times the time left; above that an answer is late, since segments differ in length


class SpeechStream:
    """The speech of one request: an async iterator of AudioChunk, and an async context manager that stops the
    speech when it is left. Another engine continues the speech if its engine dies.

    A text that kills engines must not end the service. After two deaths without new audio the next engine
    speaks the text alone, until there is new audio. If that engine dies too, the request ends with an error.

    The stream begins on the engine of `permit`, and holds the permit until no engine holds anything of the
    request. `tokens` holds the speech tokens of each segment that is decoded, by its number; `segment` is the
    number of the segment that is spoken first. `log` notes each chunk, and the attribute `verifier` hears it;
    both may be None. `active` are the logs of all requests that wait or are spoken now.
    """

    def __init__(
        self,
        engines: Engines,
        request: SpeechRequest,
        timings: Timings,
        permit: Permit,
        log: RequestLog | None = None,
        *,
        tokens: Mapping[int, Sequence[int]] | None = None,
        segment: int = 0,
        active: Sequence[RequestLog] = (),
    ) -> None:
        self.request, self.timings = request, timings
        self.verifier: Verifier | None = None
        self._engines, self._permit, self._log, self._active = engines, permit, log, active
        self._playback = log.playback if log is not None else None
        self._tokens, self._segment = dict(tokens or {}), segment
        self._times: dict[int, Sequence[tuple[float, float]]] = {}
        # How many samples of that segment were sent, and how many of these a new engine still makes again.
        self._n_heard = self._n_known = 0
        self._n_deaths = 0  # deaths of engines since the last chunk that was sent
        self._is_heard = False  # whether a chunk was sent
        self._is_alone = False  # whether the engine spoke nothing else when it began with a suspect text
        self._solitude = AsyncExitStack()
        self._number = -1  # the request's number on its engine
        self._is_freed = self._is_left = False
        self._items: deque[AudioChunk | Exception | None] = deque()  # at the end None, or the error
        self._may_go_on = asyncio.Event()  # there are items, and the client may have them
        self._start: asyncio.TimerHandle | None = None
        self._plays = False
        self._ends: list[tuple[float, int]] = []  # when each segment ended, and how many requests were spoken

    async def __aenter__(self) -> SpeechStream:
        """Begins to speak on the engine of the permit, or on another one if that engine has died or is
        reserved. Waits while that engine is being loaded again. Raises Loading or Unhealthy."""
        self._begin(await self._engines.ready(self._permit.engine))
        self._permit.n_holders += 1  # not if the engine has refused the request
        return self

    async def __aexit__(self, *_: object) -> None:
        """Tells the engine that nobody listens any more. The engine frees the request at its next step, and
        the stream then releases the permit."""
        self._is_left = True
        if self._is_freed:
            self._permit.release()
        else:
            self._engines.each[self._permit.engine].send(messages.Cancel(self._number))
        await self._solitude.aclose()

    def _begin(self, engine: int) -> None:
        if engine != self._permit.engine:
            self._permit.places.move(self._permit, engine)
        self._n_known, self._is_freed = self._n_heard, False
        self._plays = bool(self._segment or self._n_heard)
        self._number = self._engines.each[engine].speak(
            self, self.request, self._tokens, self._segment, is_background=self._permit.is_background
        )

    def anew(self, segment: int, seed: int, permit: Permit) -> SpeechStream:
        """Returns a stream that speaks the segment number `segment` again with `seed` on the place of
        `permit`, and then goes on with the segments after it. The caller leaves the stream when that segment
        ends. As before, the segment continues the speech of the segments before it. The time of this work is
        not counted in the request's timings."""
        known = {
            number: tokens
            for number, tokens in self._tokens.items()
            if number < segment or (number > segment and not self.request.use_cache)
        }
        request = replace(self.request, sampling=replace(self.request.sampling, seed=seed))
        return SpeechStream(self._engines, request, Timings(), permit, tokens=known, segment=segment)

    # -- what the engine says

    def take(self, message: messages.OfRequest | EngineDied) -> None:
        """Takes what the engine says about the request, or its death. Called on the event loop."""
        match message:
            case messages.Chunk():
                self._items.append(replace(message.audio, times=self._times.get(message.audio.segment, ())))
                self._let_go(message.audio.wait_s)
            case messages.StageChanged():
                self.timings.change(message.stage, message.by)
            case messages.Segments():
                self.timings.segments = message.n_segments
            case messages.Decoded():
                self._tokens[message.segment] = message.tokens
                self._times[message.segment] = message.times
            case messages.Guarded():
                self.timings.guarded(message.segment, message.n_retakes, message.faults)
            case messages.Ended():
                self._items.append(None if message.fault is None else error_of(message.fault))
                self._let_go()
            case EngineDied():
                self.timings.interrupt()
                self._items.append(message)
                self._let_go()
        if isinstance(message, messages.Released | EngineDied):
            self._is_freed = True
            if self._is_left:
                self._permit.release()

    def _let_go(self, wait_s: float = 0.0) -> None:
        """Lets the client have what came. The first chunks are held back until `wait_s` seconds after the
        last one, unless the client can play earlier audio until then. Later, and at the end, none is held."""
        if self._start is not None:
            self._start.cancel()
        sounds_until = self._playback.sounds_until if self._playback is not None else 0.0
        self._plays |= not wait_s or self._may_go_on.is_set() or time.perf_counter() + wait_s <= sounds_until
        if self._plays:
            self._may_go_on.set()
        else:
            self._start = asyncio.get_running_loop().call_later(wait_s, self._may_go_on.set)

    # -- what the client gets

    def __aiter__(self) -> SpeechStream:
        return self

    async def __anext__(self) -> AudioChunk:
        """Returns the next chunk in the order of the text, and counts it. If the engine has died, waits for
        an engine that continues. A chunk ends the reservation of an engine. If the chunk ends its segment,
        the position moves to the start of the next segment. Raises the ServiceError that ended the request,
        and DeadlineExceeded once a whole answer is sure to be late."""
        if self._is_heard and self._playback is not None:
            self._playback.passed_on()  # the client asks for the next chunk
        self._require_in_time()
        chunk: AudioChunk | None = None
        while chunk is None:
            await self._may_go_on.wait()
            self._plays = True
            item = self._items[0]
            if not isinstance(item, AudioChunk | EngineDied):
                raise item or StopAsyncIteration
            self._items.popleft()
            if not self._items:
                self._may_go_on.clear()
            if isinstance(item, EngineDied):
                await self._go_on(item)
                continue
            self._engines.each[self._permit.engine].send(messages.Credit(self._number, item.seconds))
            chunk = self._unheard(item) if self._n_known else item
        self._n_deaths, self._is_alone, self._is_heard = 0, False, True
        await self._solitude.aclose()
        if self.verifier is not None:
            self.verifier.took(chunk)
        self.timings.audio_s += chunk.seconds
        if self._log is not None:
            self._log.took(chunk.seconds / self.request.speed_of(chunk), ends_segment=chunk.ends_segment)
        self._n_heard += len(chunk.pcm)
        if chunk.ends_segment:
            self._segment, self._n_heard = chunk.segment + 1, 0
            n_spoken = sum(log.state != "queued" for log in self._active)
            self._ends.append((asyncio.get_running_loop().time(), n_spoken))
        return chunk

    def _unheard(self, chunk: AudioChunk) -> AudioChunk | None:
        """Returns the part of a chunk that was not sent yet; None if all of it was sent. The last chunk of a
        segment is always returned, if need be without samples."""
        n_known = min(self._n_known, len(chunk.pcm))
        self._n_known -= n_known
        if n_known == len(chunk.pcm) and not chunk.ends_segment:
            return None
        return replace(chunk, pcm=chunk.pcm[n_known:])

    def _require_in_time(self) -> None:
        """Raises DeadlineExceeded once a whole answer is sure to be late, by the pace of its segments; after
        its fifth segment at the earliest. The message says how long the answer would take.

        Alone, this request would be at most as many times faster as requests are being spoken. So the answer
        counts as late only if it would be late even at that speed. Without `use_cache` the segments are
        decoded at the same time, and their pace says little: never late."""
        is_whole = self._log is not None and self._playback is None
        if not is_whole or not self.request.use_cache or self._n_heard or len(self._ends) < _LEAST_SEGMENTS:
            return
        # The median is not changed by one long time, as after the death of an engine.
        pace_s = median(after - before for (before, _), (after, _) in pairwise(self._ends))
        needed_s = pace_s * (self.timings.segments - len(self._ends))
        timeout_s = self._permit.timeout_s
        left_s = timeout_s * (1 - self._permit.timeout_ratio)
        if needed_s / max(1, fmean(n for _, n in self._ends)) > _MARGIN * left_s:
            assert self._log is not None
            assert self._log.length is not None
            raise DeadlineExceeded(
                f"At its pace the request would take some {timeout_s - left_s + needed_s:.0f} s, and "
                f"{timeout_s:g} s are allowed ({self._log.length.setting}); its work is stopped."
            )

    async def _go_on(self, death: EngineDied) -> None:
        if death.is_ours:
            self._n_deaths += 1
            self._permit.is_background = False  # an interruption would lose the count of deaths
        await self._solitude.aclose()
        if self._is_alone and death.is_ours:
            for each in self._engines.each:
                each.n_deaths = 0  # one text has caused them
            raise FatalText(
                f"{self._n_deaths} engines died while they spoke this text, the last one while it spoke "
                "nothing else: do not send it again. The server's log has the cause"
            )
        logger.warning("The request goes on with another engine: %s", death)
        if self._n_deaths >= _SUSPECT:
            engine = await self._solitude.enter_async_context(self._engines.alone(self._permit.engine))
            self._is_alone = not self._engines.each[engine].n_streams
        else:
            engine = await self._engines.ready(self._permit.engine)
        self._engines.n_resumed[engine] += 1
        self._begin(engine)
