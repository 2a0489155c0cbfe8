"""The parts of one running server, which the routes use. Knows no HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from glm_tts_api.api.background import Background
from glm_tts_api.api.keys import Keys
from glm_tts_api.api.web_config import WebConfig
from glm_tts_api.http.connections import ConnectionLimits
from glm_tts_api.http.drain import InFlight
from glm_tts_api.longform.jobs import Jobs
from glm_tts_api.longform.outputs import Outputs
from glm_tts_api.speech.admission import Admission
from glm_tts_api.speech.pools import Pools
from glm_tts_api.speech.recent import RecentAnswers
from glm_tts_api.speech.service import SpeechService
from glm_tts_api.stats.workers import WorkerStats
from glm_tts_api.voices.store import VoiceStore
from speech_text.markup.lexicon import LexiconFile


@dataclass(frozen=True, slots=True)
class AppState:
    """The parts of one running server. `beside` admits work that takes long but is not speech (reading a text
    without speaking it, encoding audio again, adding a voice); the statistics do not count it. `read_stats`
    returns the figures of all workers, in a cluster also those of other servers; it blocks."""

    config: WebConfig
    keys: Keys
    speech: SpeechService
    beside: Admission
    read_stats: Callable[[], list[WorkerStats]]
    jobs: Jobs
    outputs: Outputs
    voices: VoiceStore
    lexicon: LexiconFile
    recent: RecentAnswers
    in_flight: InFlight
    limits: ConnectionLimits
    pools: Pools
    background: Background
    started_at: float = field(default_factory=time.monotonic)

    @property
    def model_label(self) -> str | None:
        """The name of the loaded model; None until a model is loaded."""
        info = self.speech.engines.info()
        if info is None:
            return None
        return f"{info.model_name} (demonstration model)" if self.config.is_demonstration else info.model_name
