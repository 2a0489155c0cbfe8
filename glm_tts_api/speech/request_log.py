"""The record of a speech request: a line in the log when it ends, the same in the figures of /metrics, and
its progress meanwhile.

Never a word of its text.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from glm_tts_api.contracts import AudioChunk, Timings
from glm_tts_api.errors import ClientGone, DeadlineExceeded, ServiceError
from glm_tts_api.speech.clients import ANYONE, Client
from glm_tts_api.speech.lane import Permit
from glm_tts_api.speech.lane_limits import TextLength
from glm_tts_api.speech.playback import Playback
from glm_tts_api.stats import figures as series
from glm_tts_api.stats.figures import Api, Figures, LaneName
from glm_tts_api.stats.key_counts import KeyCounts

logger = logging.getLogger("glm_tts_api.request")
progress_logger = logging.getLogger("glm_tts_api.progress")
_LEFT = (ClientGone, asyncio.CancelledError)


@dataclass(slots=True, eq=False)
class RequestLog:
    """The facts of a request so far; times in seconds. `figures`: the metrics that count it, None for none;
    `recent`: the list that keeps it once it has ended, None for none; `of_keys`: the counts of a named key;
    `timeout_ratio`: the used share of its time-out when its work ended; `playback`: of a streamed answer.
    `audio_done_s`: seconds of audio as played; `ends`: where in it each finished segment ends."""

    request_id: str
    api: Api
    figures: Figures | None
    client: Client = ANYONE
    length: TextLength | None = None
    audio_format: str = series.UNKNOWN
    playback: Playback | None = None
    recent: deque[RequestLog] | None = None
    of_keys: KeyCounts | None = None
    first_audio_s: float | None = None
    gaps_s: list[float] = field(default_factory=list)
    timeout_ratio: float | None = None
    audio_done_s: float = 0.0
    ends: list[float] = field(default_factory=list)
    timings: Timings = field(default_factory=Timings)
    began_at: float = field(default_factory=time.perf_counter)
    ended_at: float | None = None
    outcome: str = "internal"

    def write(self, *, sent: bool) -> None:
        """`sent`: the client has the whole answer; without that nothing was completed."""
        if self.outcome == "completed":
            self.timings.end("send")
            self.outcome = "completed" if sent else "cut"
        self.ended_at = time.perf_counter()
        fields = {**self._fields(), "client": self.client.name, "outcome": self.outcome}
        line = " ".join(f"{name}={_shown(value)}" for name, value in fields.items())
        logger.info("%s", line, extra={"fields": fields})
        if self.figures is not None:
            self._count(self.figures)
        if self.of_keys is not None and self.client.is_named:
            self.of_keys.add(self.client.name, self.outcome, self.timings.audio_s)
        if self.recent is not None:
            self.recent.append(self)

    def _count(self, figures: Figures) -> None:
        lane, timings, outcome = self.lane, self.timings, self.outcome
        figures.add(
            series.REQUESTS,
            api=self.api,
            lane=lane or series.UNKNOWN,
            outcome=outcome,
            format=self.audio_format,
        )
        if lane is None:
            return
        for stage, seconds in timings.stage_s.items():
            if seconds:
                figures.observe(series.STAGE_SECONDS, seconds, stage=stage)
        figures.add(series.AUDIO_SECONDS, timings.audio_s, lane=lane)
        figures.add(series.UNDERRUNS, len(self.gaps_s), lane=lane)
        figures.add(series.UNDERRUN_SECONDS, sum(self.gaps_s), lane=lane)
        figures.add(series.SEGMENTS_RESAMPLED, timings.resampled)
        for fault in timings.faults.values():
            figures.add(series.SEGMENT_FAULTS, fault=fault)
        used = 1.0 if outcome == DeadlineExceeded.code else self.timeout_ratio
        if used is not None:
            figures.observe(series.TIMEOUT_RATIO, used, lane=lane)
        if self.first_audio_s is not None:
            figures.observe(series.FIRST_AUDIO_SECONDS, self.first_audio_s, lane=lane)
        if outcome == "completed":
            figures.observe(series.REQUEST_SECONDS, self.age_s, lane=lane)
            figures.observe(series.REAL_TIME_FACTOR, self.rtf, lane=lane)

    def _fields(self) -> dict[str, str | int | float]:
        """Its stages add up to `total_s`: `between_s` is what it spent waiting between them."""
        timings = self.timings
        total_s = self.age_s
        seconds = {f"{stage}_s": seconds for stage, seconds in timings.stage_s.items()}
        seconds |= {
            "between_s": max(0.0, total_s - sum(timings.stage_s.values())),
            "total_s": total_s,
            "audio_s": timings.audio_s,
            "rtf": self.rtf,
        }
        return {
            "lane": self.lane or "-",
            "chars": self.n_chars,
            "segments": timings.segments,
            "resampled": timings.resampled,
            "finish": timings.finish_reason,
            **{name: round(float(value), 3) for name, value in seconds.items()},
        }

    @property
    def lane(self) -> LaneName | None:
        """The request's lane; None where the text was never read."""
        return None if self.length is None else self.length.lane

    @property
    def n_chars(self) -> int:
        return 0 if self.length is None else self.length.n_chars

    @property
    def age_s(self) -> float:
        """Since it arrived, until it ended."""
        return (self.ended_at or time.perf_counter()) - self.began_at

    @property
    def is_waiting(self) -> bool:
        """Whether it stands in line for a place."""
        return self.timings.current == "queue"

    @property
    def how_far(self) -> str:
        """The part of it that is done, for its client."""
        n_segments = self.timings.segments
        if not n_segments:
            return "Nothing was spoken yet."
        return f"{len(self.ends)} of {n_segments} segments were spoken, {self.audio_done_s:.1f} s of audio."

    def note_timeout(self, permit: Permit) -> None:
        self.timeout_ratio = permit.timeout_ratio

    def took(self, chunk: AudioChunk, heard_s: float) -> None:
        """To be called with the seconds of each piece of audio as it comes."""
        self.audio_done_s += heard_s
        if self.playback is not None:
            if self.first_audio_s is None:
                self.first_audio_s = self.age_s
            if gap_s := self.playback.came(heard_s):
                self.gaps_s.append(gap_s)
        if not chunk.ends_segment:
            return
        self.ends.append(self.audio_done_s)
        if self.timings.segments > 1:
            progress_logger.info(
                "segment %d of %d spoken, %.1f s of audio so far",
                len(self.ends),
                self.timings.segments,
                self.audio_done_s,
            )

    @property
    def rtf(self) -> float:
        return self.timings.generation_s / self.timings.audio_s if self.timings.audio_s else 0.0


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


def _shown(value: str | int | float) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _outcome_of(error: BaseException) -> str:
    if isinstance(error, ServiceError):
        return error.code
    return "cancelled" if isinstance(error, _LEFT) else "internal"
