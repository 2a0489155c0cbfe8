"""From a SpeechRequest to the stream of its audio. Knows admission and the engine; knows no HTTP."""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol

from glm_tts_api.audio.decode import RecordingLimits
from glm_tts_api.contracts import SpeechRequest, Timings, UploadedVoice
from glm_tts_api.engine.state import EngineInfo, EngineState, EngineUsage
from glm_tts_api.errors import DeadlineExceeded, Draining
from glm_tts_api.logs import text_logger
from glm_tts_api.speech.admission import Admission, Permit
from glm_tts_api.speech.pools import Pools
from glm_tts_api.speech.request_log import RequestLog
from glm_tts_api.stats.figures import Figures
from glm_tts_api.voices.unregistered import decoded_voice

if TYPE_CHECKING:  # loads torch
    from glm_tts_api.engine.stream import SpeechStream
    from glm_tts_api.text.frontend import TextFrontend

HealthStatus = Literal["healthy", "idle", "loading", "draining", "unhealthy"]


class SpeechEngine(Protocol):
    """The engine as the other rooms know it (engine/engine.py)."""

    frontend: TextFrontend | None
    before_hold: Callable[[], None]

    @property
    def state(self) -> EngineState: ...
    def start(self) -> None: ...
    async def close(self) -> None: ...
    def idle_for(self, seconds: float) -> bool: ...
    async def unload(self, idle_s: float = 0.0) -> None: ...
    async def wake(self) -> None: ...
    def give_up(self, cause: str) -> None: ...
    async def clear_cache(self) -> int: ...
    def in_a_step_for(self, seconds: float) -> bool: ...
    def info(self) -> EngineInfo | None: ...
    def usage(self) -> EngineUsage | None: ...
    def synthesize(self, asked: SpeechRequest, timings: Timings) -> SpeechStream: ...


@dataclass(frozen=True, slots=True)
class SpeechService:
    """Speaks requests: admission, the engine, and the figures of both.

    `verification`: lanes of their own for the sentence that proves a restart, which waits behind nobody and
    counts in no figures. `is_stopping`: whether new requests are refused. `active`: the requests that wait or
    are being spoken, in the order in which they came; `recent`: the last that ended.
    """

    engine: SpeechEngine
    admission: Admission
    verification: Admission
    figures: Figures
    pools: Pools
    prompt_limits: RecordingLimits
    is_stopping: Callable[[], bool]
    active: list[RequestLog] = field(default_factory=list)
    recent: deque[RequestLog] = field(default_factory=lambda: deque(maxlen=8))

    @property
    def status(self) -> HealthStatus:
        return "draining" if self.is_stopping() else _HEALTH[self.engine.state.status]

    def require_ready(self) -> None:
        """Raises Draining, Loading or Unhealthy where nothing can be said now."""
        if self.is_stopping():
            raise Draining("The server is stopping; it takes no new requests. Try again shortly.")
        self.engine.state.require_ready()

    @asynccontextmanager
    async def speaking(
        self, asked: SpeechRequest, log: RequestLog, *, arrived_at: float
    ) -> AsyncIterator[tuple[Permit, SpeechStream]]:
        """Waits for a permit, then starts the speech; leaving the context stops it. `arrived_at` is on the
        loop's clock. A request that counts in no figures takes a lane of its own.

        The permit goes back when the engine has freed the request, which may be after the context is left.
        Raises Loading, Unhealthy, QueueFull, DeadlineExceeded, and what an uploaded recording is
        refused with; the stream raises the rest.
        """
        assert log.length is not None
        log.audio_format = asked.audio_format
        async with AsyncExitStack() as stack:
            stack.enter_context(deadline_adding(lambda: log.how_far))
            admission = self.verification
            if log.figures is not None:
                admission, log.recent = self.admission, self.recent
                stack.enter_context(_listed(log, self.active))
            with log.timings.stage("queue"):
                permit = await stack.enter_async_context(admission.admit(log.length, arrived_at=arrived_at))
            stack.callback(log.note_timeout, permit)
            if isinstance(asked.voice, UploadedVoice):
                voice = await self.pools.decode.run(decoded_voice, asked.voice, self.prompt_limits)
                asked = replace(asked, voice=voice)
            if text_logger.isEnabledFor(logging.INFO):
                text_logger.info("says %s", json.dumps(asked.text, ensure_ascii=False))
            await self.engine.wake()
            log.timings.start_generation()
            stream = await stack.enter_async_context(self.engine.synthesize(asked, log.timings))
            stream.on_freed(permit.hold())
            yield permit, stream


@contextmanager
def deadline_adding(sentence: Callable[[], str]) -> Iterator[None]:
    """A deadline that passes meanwhile says this too."""
    try:
        yield
    except DeadlineExceeded as error:
        raise DeadlineExceeded(f"{error.message} {sentence()}") from None


@contextmanager
def _listed(log: RequestLog, active: list[RequestLog]) -> Iterator[None]:
    active.append(log)
    try:
        yield
    finally:
        active.remove(log)


_HEALTH: dict[str, HealthStatus] = {
    "loading": "loading",
    "ready": "healthy",
    "idle": "idle",
    "reloading": "idle",
    "stalled": "unhealthy",
    "failed": "unhealthy",
    "lost": "unhealthy",
}
