"""What the routes work with: the parts of one running server. Knows no HTTP."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol

from glm_tts_api.admission.lanes import Admission
from glm_tts_api.audio.decode import RecordingLimits
from glm_tts_api.contracts import AudioChunk, Timings, Utterance
from glm_tts_api.errors import Draining, Loading, ServiceError, Unhealthy
from glm_tts_api.stats.shared import SharedStats
from glm_tts_api.voices.store import VoiceStore
from glm_tts_api.voices.transcript import MAX_CHARACTERS
from glm_tts_api.web.in_flight import InFlight
from glm_tts_api.web.pools import Pools
from glm_tts_api.web.request_log import RequestLog

HealthStatus = Literal["healthy", "loading", "draining", "unhealthy"]


@dataclass(frozen=True, slots=True)
class WebConfig:
    """Limits and facts that the routes need."""

    workers: int = 1
    max_text_length: int = 20000
    max_upload_bytes: int = 20 * 1024 * 1024
    max_text_bytes: int = 1024 * 1024
    stream_chunks: tuple[int, ...] = (12, 25, 50, 100)
    openai_voices: Mapping[str, str] = field(default_factory=dict)
    zhipu_voices: Mapping[str, str] = field(default_factory=dict)
    uploads_dir: Path = Path("uploads")
    prompt_limits: RecordingLimits = field(default_factory=RecordingLimits)
    max_prompt_characters: int = MAX_CHARACTERS
    api_keys: tuple[str, ...] = ()
    allowed_hosts: frozenset[str] = frozenset()
    cors_origins: tuple[str, ...] = ()
    is_demonstration: bool = False
    verify_token_file: Path | None = None


class EngineState(Protocol):
    """Where the engine stands; `cause` says why it failed to load, or was lost after it was ready."""

    @property
    def status(self) -> Literal["loading", "ready", "failed", "lost"]: ...

    @property
    def cause(self) -> str | None: ...


class EngineInfo(Protocol):
    """What the engine says of itself once the model is loaded."""

    @property
    def model_name(self) -> str: ...

    @property
    def device(self) -> str: ...

    @property
    def dtype(self) -> str: ...

    @property
    def warnings(self) -> tuple[str, ...]: ...


class SpeechStream(Protocol):
    """One utterance's speech: a context to leave early, an iterator of chunks."""

    timings: Timings

    async def __aenter__(self) -> SpeechStream: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def __aiter__(self) -> AsyncIterator[AudioChunk]: ...

    def on_freed(self, callback: Callable[[], None]) -> None: ...


class SpeechEngine(Protocol):
    """The engine as the web room sees it."""

    @property
    def state(self) -> EngineState: ...

    def start(self) -> None: ...

    async def close(self) -> None: ...

    def synthesize(self, utterance: Utterance) -> SpeechStream: ...

    async def clear_cache(self) -> int: ...

    def info(self) -> EngineInfo | None: ...


@dataclass(frozen=True, slots=True)
class AppState:
    """One worker process, ready to be asked. `speaking`: the requests that have a place in a lane now."""

    config: WebConfig
    engine: SpeechEngine
    admission: Admission
    board: SharedStats
    voices: VoiceStore
    in_flight: InFlight
    pools: Pools = field(default_factory=Pools)
    speaking: list[RequestLog] = field(default_factory=list)
    started_at: float = field(default_factory=time.monotonic)

    @property
    def status(self) -> HealthStatus:
        if self.in_flight.closing:
            return "draining"
        status = self.engine.state.status
        return _HEALTH[status]

    @property
    def model_label(self) -> str | None:
        """Which model speaks; None until it is loaded."""
        info = self.engine.info()
        if info is None:
            return None
        return f"{info.model_name} (demonstration model)" if self.config.is_demonstration else info.model_name

    def require_ready(self) -> None:
        """Raises the 503 that says why nothing can be said now."""
        error = _NOT_READY.get(self.status)
        if error is not None:
            raise error()


def _loading() -> ServiceError:
    return Loading("The model is still loading. Try again shortly.")


def _draining() -> ServiceError:
    return Draining("The server is stopping; it takes no new requests. Try again shortly.")


def _unhealthy() -> ServiceError:
    return Unhealthy("The model could not be loaded or has failed; /api/v1/health says why.")


_HEALTH: dict[str, HealthStatus] = {
    "loading": "loading",
    "ready": "healthy",
    "failed": "unhealthy",
    "lost": "unhealthy",
}
_NOT_READY: dict[HealthStatus, Callable[[], ServiceError]] = {
    "loading": _loading,
    "draining": _draining,
    "unhealthy": _unhealthy,
}
