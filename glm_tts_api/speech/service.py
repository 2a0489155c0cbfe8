"""Turns a SpeechRequest into the stream of its audio. Knows admission and the engines; knows no HTTP."""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field

from glm_tts_api.audio.decode import RecordingLimits
from glm_tts_api.contracts import SpeechRequest, Timings, UploadedVoice
from glm_tts_api.errors import DeadlineExceeded, Draining
from glm_tts_api.logs import text_logger
from glm_tts_api.recognition.recogniser import Recogniser
from glm_tts_api.speech.admission import Admission, Permit
from glm_tts_api.speech.background_slots import BackgroundSlots
from glm_tts_api.speech.clients import RequestRates, require_voice
from glm_tts_api.speech.encoding import encode_whole
from glm_tts_api.speech.engines import STATES, Engines, HealthStatus
from glm_tts_api.speech.pools import Pools
from glm_tts_api.speech.recent import Answer
from glm_tts_api.speech.request_log import RequestLog
from glm_tts_api.speech.stream import SpeechStream
from glm_tts_api.speech.verifier import TakePlace, Verifier
from glm_tts_api.stats.lanes import LANES
from glm_tts_api.stats.metrics import Metrics
from glm_tts_api.stats.workers import KeyCounts, WorkerStats
from glm_tts_api.voices.decoded import decode_upload


@dataclass(frozen=True, slots=True)
class SpeechService:
    """Speaks requests: admits them, has an engine speak them, and counts both in the metrics.

    `verification` is an admission of its own for the test sentence after a restart. That sentence waits for
    no other request and is not counted. `background` has the places for background work. `metrics_of` has the
    metrics of each engine; the first ones count a request that has no engine yet. `is_stopping` returns
    whether new requests are refused. `recogniser` checks the speech of requests with `verify`. `active` lists
    the requests that wait or are spoken, in the order of arrival; `recent` has the last 8 that ended.
    """

    engines: Engines
    admission: Admission
    verification: Admission
    background: BackgroundSlots
    metrics_of: Sequence[Metrics]
    pools: Pools
    prompt_limits: RecordingLimits
    is_stopping: Callable[[], bool]
    recogniser: Recogniser
    of_keys: KeyCounts = field(default_factory=KeyCounts)
    rates: RequestRates = field(default_factory=RequestRates)
    active: list[RequestLog] = field(default_factory=list)
    recent: deque[RequestLog] = field(default_factory=lambda: deque(maxlen=8))

    @property
    def status(self) -> HealthStatus:
        return "draining" if self.is_stopping() else STATES[self.engines.state.status][0]

    def require_ready(self) -> None:
        """Raises Draining, Loading or Unhealthy if no request can be spoken now."""
        if self.is_stopping():
            raise Draining("The server is stopping; it takes no new requests. Try again shortly.")
        self.engines.state.require_ready()

    def read_stats(self) -> list[WorkerStats]:
        """Returns the state, the limits and the counters of each engine."""
        return [
            WorkerStats(
                number=number,
                pid=engine.pid,
                phase=STATES[engine.state.status][1],
                restarts=engine.n_restarts,
                watchdog_exits=engine.n_watchdog_exits,
                resumed=self.engines.n_resumed[number],
                lanes=self.admission.counts_on(number),
                limits={lane: self.admission.limit_on(number, lane) for lane in LANES},
                cells=metrics.cells,
            )
            for number, (engine, metrics) in enumerate(zip(self.engines.each, self.metrics_of, strict=True))
        ]

    @asynccontextmanager
    async def speaking(
        self, request: SpeechRequest, log: RequestLog, *, arrived_at: float
    ) -> AsyncIterator[tuple[Permit, SpeechStream]]:
        """Waits for a place, then starts to speak the request; yields its permit and its stream. Leaving the
        `async with` block stops the speech. `arrived_at` is the time of arrival on the event loop's clock. A
        request without `log.metrics` is not counted in the metrics and is admitted by `verification`.

        The place is given back when the engine has freed the request, which may be after the block was left.
        Raises Loading, Unhealthy, Forbidden, RateLimited, QueueFull, DeadlineExceeded, and the errors of an
        uploaded recording that is refused. Later errors are raised by the stream.
        """
        assert log.length is not None
        log.audio_format = request.audio_format
        try:
            async with AsyncExitStack() as stack:
                admission = self.verification
                if log.metrics is not None:
                    admission, log.recent, log.of_keys = self.admission, self.recent, self.of_keys
                    for voice in (request.voice, *request.others.values()):
                        require_voice(log.client, voice.name)
                    self.rates.begin(log.client)
                    self.active.append(log)
                    stack.callback(self.active.remove, log)
                admitted = admission.admit(log.length, arrived_at=arrived_at, client=log.client)
                log.enter("queued")
                with log.timings.stage("queue"):
                    permit = await stack.enter_async_context(admitted)
                log.enter("admitted")
                stack.callback(log.note_timeout, permit)
                if log.metrics is not None:
                    log.metrics = self.metrics_of[permit.engine]
                if isinstance(request.voice, UploadedVoice):
                    await self.pools.decode.run(decode_upload, request.voice, self.prompt_limits)
                if text_logger.isEnabledFor(logging.INFO):
                    text_logger.info("says %s", json.dumps(request.text, ensure_ascii=False))
                log.timings.start_generation()
                stream = SpeechStream(self.engines, request, log.timings, permit, log, active=self.active)
                await stack.enter_async_context(stream)
                if request.verify:
                    self._verify(stream, lambda: nullcontext(permit), stack)
                yield permit, stream
        except DeadlineExceeded as error:
            raise DeadlineExceeded(f"{error.message} {log.how_far}") from None

    def _verify(self, stream: SpeechStream, place: TakePlace, stack: AsyncExitStack) -> None:
        """Gives the stream a verifier, which ends with `stack`."""
        stream.verifier = Verifier(self.recogniser, stream, place)
        stack.callback(stream.verifier.cancel)

    async def speak_aside(self, request: SpeechRequest, timings: Timings) -> Answer:
        """Speaks all of a request as background work, on a spare place, and encodes it. If the request has
        `verify`, segments that drift are spoken again; the place is free while they are heard. The request is
        not counted in the metrics. Raises QueueFull if a request needs the place, and the stream's errors."""
        async with AsyncExitStack() as stack:
            async with (
                self.background.place() as permit,
                SpeechStream(self.engines, request, timings, permit) as stream,
            ):
                if request.verify:
                    self._verify(
                        stream, lambda: self.background.place(is_due=not permit.is_background), stack
                    )
                chunks = [chunk async for chunk in stream]
            if stream.verifier is not None:
                chunks = await stream.verifier.repaired(chunks)
        return await self.pools.encode.run(encode_whole, chunks, request)
