"""What the routes work with: the parts of one running server. Knows no HTTP."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from glm_tts_api.admission.lanes import Admission
from glm_tts_api.audio.decode import RecordingLimits
from glm_tts_api.errors import Draining
from glm_tts_api.stats.figures import Figures
from glm_tts_api.stats.shared import SharedStats
from glm_tts_api.text.lexicon import LexiconFile
from glm_tts_api.voices.store import VoiceStore
from glm_tts_api.web.connections import ConnectionLimits
from glm_tts_api.web.drain import InFlight
from glm_tts_api.web.pools import Pools
from glm_tts_api.web.request_log import RequestLog

if TYPE_CHECKING:  # loads torch
    from glm_tts_api.engine.engine import Engine

HealthStatus = Literal["healthy", "idle", "loading", "draining", "unhealthy"]


@dataclass(frozen=True, slots=True)
class WebConfig:
    """Limits and facts that the routes need."""

    workers: int
    max_text_length: int
    max_upload_bytes: int
    max_text_bytes: int
    stream_chunks: tuple[int, ...]
    openai_voices: Mapping[str, str]
    zhipu_voices: Mapping[str, str]
    uploads_dir: Path
    max_stored_bytes: int
    prompt_limits: RecordingLimits
    max_prompt_characters: int
    api_keys: tuple[str, ...]
    metrics_key: str
    allowed_hosts: frozenset[str]
    cors_origins: tuple[str, ...]
    is_demonstration: bool
    verify_token_file: Path


@dataclass(frozen=True, slots=True)
class AppState:
    """One worker process, ready to be asked. `verification`: lanes of its own for the sentence that proves a
    restart, which waits behind nobody and is in no figures; `beside`: lanes for what takes long and is no
    speech (texts that are only read, takes that are encoded again, voices that are added), in no figures
    either; `number`, `figures`: this worker's; `active`: the requests that wait or are being spoken, in the
    order in which they came; `recent`: the last that ended."""

    config: WebConfig
    engine: Engine
    admission: Admission
    verification: Admission
    beside: Admission
    stats: SharedStats
    figures: Figures
    number: int
    voices: VoiceStore
    lexicon: LexiconFile
    in_flight: InFlight
    limits: ConnectionLimits
    pools: Pools = field(default_factory=Pools)
    active: list[RequestLog] = field(default_factory=list)
    recent: deque[RequestLog] = field(default_factory=lambda: deque(maxlen=8))
    started_at: float = field(default_factory=time.monotonic)

    @property
    def status(self) -> HealthStatus:
        return "draining" if self.in_flight.closing else _HEALTH[self.engine.state.status]

    @property
    def model_label(self) -> str | None:
        """Which model speaks; None until it is loaded."""
        info = self.engine.info()
        if info is None:
            return None
        return f"{info.model_name} (demonstration model)" if self.config.is_demonstration else info.model_name

    def require_ready(self) -> None:
        """Raises the 503 that says why nothing can be said now."""
        if self.in_flight.closing:
            raise Draining("The server is stopping; it takes no new requests. Try again shortly.")
        self.engine.state.require_ready()


_HEALTH: dict[str, HealthStatus] = {
    "loading": "loading",
    "ready": "healthy",
    "idle": "idle",
    "reloading": "idle",
    "stalled": "unhealthy",
    "failed": "unhealthy",
    "lost": "unhealthy",
}
