"""The parts of one running server, which the routes use, and its tasks."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from glm_tts_api.api.keys import Keys
from glm_tts_api.api.web_config import WebConfig
from glm_tts_api.http.connections import ConnectionLimits
from glm_tts_api.http.drain import InFlight
from glm_tts_api.lexicon import LexiconFile
from glm_tts_api.longform.jobs import Jobs
from glm_tts_api.longform.outputs import Outputs
from glm_tts_api.speech.admission import Admission
from glm_tts_api.speech.pools import Pools
from glm_tts_api.speech.recent import RecentAnswers
from glm_tts_api.speech.service import SpeechService
from glm_tts_api.stats.workers import WorkerStats
from glm_tts_api.voices.store import VoiceStore

logger = logging.getLogger(__name__)
_AGAIN_S = 10.0
_TOLD_S = 60.0  # a task that has run for so long after an error runs well


class Background:
    """Runs tasks, and begins a task that an error has ended again. Uses asyncio."""

    def __init__(self) -> None:
        self._failed_at: dict[str, float] = {}

    @property
    def warnings(self) -> list[str]:
        """A sentence for each task that has failed in the last minute."""
        now = time.monotonic()
        return [
            f"A task of the server ({name}) ended by an error and was begun again: the log has the details."
            for name, failed_at in self._failed_at.items()
            if now - failed_at < _TOLD_S
        ]

    async def keep(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Calls `run` until it returns without an error. Logs each error and waits ten seconds after it. The
        log and the warnings call the task `name`."""
        while True:
            try:
                return await run()
            except Exception:
                logger.exception("A task of the server (%s) begins again", name)
                self._failed_at[name] = time.monotonic()
            await asyncio.sleep(_AGAIN_S)


@dataclass(frozen=True, slots=True)
class AppState:
    """The parts of one running server. `background_admission` admits work that takes long but is not speech
    (reading a text without speaking it, encoding audio again, adding a voice); the statistics do not
    count it. `read_stats` returns the metrics of all workers, in a cluster of all servers; it blocks."""

    config: WebConfig
    keys: Keys
    speech: SpeechService
    background_admission: Admission
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


async def _app_state(request: HTTPConnection) -> AppState:
    state: AppState = request.app.state.parts
    return state


AppStateDep = Annotated[AppState, Depends(_app_state)]
