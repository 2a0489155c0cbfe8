"""What the log says of a speech request: a line for it, whatever became of it, and how far a long one is.

Never a word of its text.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fastapi import Request
from starlette.requests import ClientDisconnect

from glm_tts_api.contracts import AudioChunk, Timings
from glm_tts_api.errors import ServiceError
from glm_tts_api.web.disconnect import ClientGone

logger = logging.getLogger("glm_tts_api.request")
progress_logger = logging.getLogger("glm_tts_api.progress")
_LEFT = (ClientGone, ClientDisconnect, asyncio.CancelledError)  # while it was worked on, or still arriving
LOG = "log"  # where a request's state has its RequestLog


@dataclass(slots=True, eq=False)
class RequestLog:
    """What is known of the request so far; seconds."""

    request_id: str
    lane: str = "-"
    n_chars: int = 0
    segments_done: int = 0
    audio_done_s: float = 0.0
    timings: Timings = field(default_factory=Timings)
    began_at: float = field(default_factory=time.perf_counter)
    outcome: str = "internal"

    def write(self, *, sent: bool) -> None:
        """`sent`: the client has the whole answer; without that nothing was completed."""
        if self.outcome == "completed":
            self.timings.end("send")
        outcome = "cut" if self.outcome == "completed" and not sent else self.outcome
        logger.info("%s outcome=%s", self, outcome)

    def __str__(self) -> str:
        """Its stages add up to `total_s`: `between_s` is what it spent waiting between them."""
        timings = self.timings
        total_s = self.age_s
        between_s = max(0.0, total_s - sum(timings.stage_s.values()))
        stages = " ".join(f"{stage}_s={seconds:.2f}" for stage, seconds in timings.stage_s.items())
        return (
            f"lane={self.lane} chars={self.n_chars} segments={timings.segments} "
            f"{stages} between_s={between_s:.2f} total_s={total_s:.2f} audio_s={timings.audio_s:.2f} "
            f"rtf={self.rtf:.2f}"
        )

    @property
    def age_s(self) -> float:
        return time.perf_counter() - self.began_at

    def took(self, chunk: AudioChunk) -> None:
        """To be called with each segment's audio as it comes."""
        self.segments_done = chunk.segment + 1
        self.audio_done_s += len(chunk.pcm) / chunk.sample_rate
        if self.timings.segments > 1:
            progress_logger.info(
                "segment %d of %d spoken, %.1f s of audio so far",
                self.segments_done,
                self.timings.segments,
                self.audio_done_s,
            )

    @property
    def rtf(self) -> float:
        return self.timings.generation_s / self.timings.audio_s if self.timings.audio_s else 0.0


@contextmanager
def logged_speech(request: Request) -> Iterator[RequestLog]:
    """The request's log, with the outcome that the context ends with. Whoever sends the answer writes it when
    that is done."""
    log = RequestLog(request.state.request_id)
    setattr(request.state, LOG, log)
    with recorded_outcome(log):
        yield log


def log_of(request: Request) -> RequestLog:
    """The log of a request that is inside `logged_speech`."""
    log: RequestLog = getattr(request.state, LOG)
    return log


@contextmanager
def recorded_outcome(log: RequestLog) -> Iterator[None]:
    """Gives the log the outcome that the context ends with; for a streamed answer a second time, since the
    body is made while it is sent."""
    if log.outcome == "completed":
        log.timings.end("send")
    try:
        yield
    except BaseException as error:
        log.outcome = _outcome_of(error)
        raise
    log.outcome = "completed"
    log.timings.begin("send")


def _outcome_of(error: BaseException) -> str:
    if isinstance(error, ServiceError):
        return error.code
    return "cancelled" if isinstance(error, _LEFT) else "internal"
