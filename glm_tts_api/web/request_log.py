"""One line a speech request, whatever became of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fastapi import Request

from glm_tts_api.contracts import Timings
from glm_tts_api.errors import ServiceError
from glm_tts_api.web.listening import ClientGone

logger = logging.getLogger("glm_tts_api.request")
HAS_LINE = "has_line"  # in a request's state: it writes a line of its own


@dataclass(slots=True)
class SpeechLine:
    """What is known of the request so far; seconds."""

    lane: str = "-"
    n_chars: int = 0
    generation_s: float = 0.0
    timings: Timings = field(default_factory=Timings)

    @property
    def rtf(self) -> float:
        return self.generation_s / self.timings.audio_s if self.timings.audio_s else 0.0


@contextmanager
def logged_speech(request: Request) -> Iterator[SpeechLine]:
    """Writes the line when the context ends, with the outcome that it ended with."""
    setattr(request.state, HAS_LINE, True)
    line = SpeechLine()
    outcome = "completed"
    try:
        yield line
    except BaseException as error:
        outcome = _outcome_of(error)
        raise
    finally:
        timings = line.timings
        logger.info(
            "lane=%s chars=%d segments=%d queue_s=%.2f llm_s=%.2f flow_s=%.2f vocoder_s=%.2f audio_s=%.2f "
            "rtf=%.2f outcome=%s",
            line.lane,
            line.n_chars,
            timings.segments,
            timings.queue_s,
            timings.llm_s,
            timings.flow_s,
            timings.vocoder_s,
            timings.audio_s,
            line.rtf,
            outcome,
        )


def _outcome_of(error: BaseException) -> str:
    if isinstance(error, ServiceError):
        return error.code
    if isinstance(error, ClientGone):
        return "client_gone"
    return "cancelled" if isinstance(error, asyncio.CancelledError) else "internal"
