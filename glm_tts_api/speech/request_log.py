"""The record of a speech request: its progress while it is spoken, and at its end a line in the log and the
same facts in the metrics.

The record never has any of the request's text.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from glm_tts_api.contracts import Timings
from glm_tts_api.errors import ClientGone, DeadlineExceeded, ServiceError
from glm_tts_api.speech.admission import Permit
from glm_tts_api.speech.clients import ANYONE, Client
from glm_tts_api.speech.life import MOVES, State
from glm_tts_api.stats import metrics as series
from glm_tts_api.stats.lanes import LaneName, TextLength
from glm_tts_api.stats.metrics import Metrics
from glm_tts_api.stats.workers import KeyCounts

logger = logging.getLogger("glm_tts_api.request")
progress_logger = logging.getLogger("glm_tts_api.progress")
_LEFT = (ClientGone, asyncio.CancelledError)


class Playback:
    """The playback of one streamed answer by a client that plays audio as soon as it arrives. It begins with
    the first piece. A gap is silence because a piece was not made in time; time in which the client was slow
    to read does not count as a gap. `sounds_until` is the time, on time.perf_counter's clock, at which the
    audio made so far has been played; 0 before the first piece."""

    def __init__(self) -> None:
        self.sounds_until = self._came_at = 0.0

    def came(self, seconds: float) -> float:
        """Notes that a piece of audio that plays for `seconds` was just made. Returns the length in seconds
        of the gap before this piece; 0 for the first piece, or if the audio before it is still playing."""
        now = self._came_at = time.perf_counter()
        gap = max(0.0, now - self.sounds_until) if self.sounds_until else 0.0
        self.sounds_until = seconds + (self.sounds_until + gap or now)
        return gap

    def passed_on(self) -> None:
        """Notes that the client has taken the piece that was last passed to `came`. The end of playback moves
        by the time that the client took, which does not count as a gap."""
        self.sounds_until += time.perf_counter() - self._came_at


@dataclass(slots=True, eq=False)
class RequestLog:
    """The facts of a request so far; times are in seconds. `metrics` are the metrics that count the request,
    and `recent` is the list that keeps this object after the request's end; None for either means that the
    request is not counted or kept. `of_keys` has the counts of each named API key. `playback` is that of a
    streamed answer.

    `first_audio_s` is the time from arrival to the first audio, and `gaps_s` has the lengths of the gaps in
    the playback. `timeout_ratio` is the used share of the time-out when the work ended. `audio_done_s` is the
    length of the finished audio as played, and `ends` are the times in it at which the finished segments end.
    """

    request_id: str
    api: str
    metrics: Metrics | None
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
    state: State = "received"
    error_code: str = ""  # of the error that ended the request

    @property
    def outcome(self) -> str:
        """How the request ended: "completed", "cut", "cancelled", or the code of its error."""
        return self.error_code or self.state

    def enter(self, state: State) -> None:
        """Moves the request to its next state. Raises ValueError for a move that MOVES does not have."""
        if state not in MOVES[self.state]:
            raise ValueError(f"{self.state} -> {state}")
        self.state = state

    def write(self, *, sent: bool) -> None:
        """Ends the record: writes the request's log line, counts the request in the metrics, and adds the
        record to `recent`. `sent` says whether the client got the whole answer. An answer that was made is
        "completed" if it did, else "cut"."""
        if MOVES[self.state]:
            self.timings.change("send", -1)
            self.enter("completed" if sent else "cut")
        self.ended_at = time.perf_counter()
        fields = self._fields()
        line = " ".join(
            f"{name}={value:.2f}" if isinstance(value, float) else f"{name}={value}"
            for name, value in fields.items()
        )
        logger.info("%s", line, extra={"fields": fields})
        if self.metrics is not None:
            self._count(self.metrics)
        if self.of_keys is not None and self.client.is_named:
            self.of_keys.add(self.client.name, self.outcome, self.timings.audio_s)
        if self.recent is not None:
            self.recent.append(self)

    def _count(self, metrics: Metrics) -> None:
        lane, timings, outcome = self.lane, self.timings, self.outcome
        metrics.add(
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
                metrics.observe(series.STAGE_SECONDS, seconds, stage=stage)
        metrics.add(series.AUDIO_SECONDS, timings.audio_s, lane=lane)
        metrics.add(series.UNDERRUNS, len(self.gaps_s), lane=lane)
        metrics.add(series.UNDERRUN_SECONDS, sum(self.gaps_s), lane=lane)
        metrics.add(series.SEGMENTS_RESAMPLED, timings.resampled)
        for chief, *_ in timings.faults.values():
            metrics.add(series.SEGMENT_FAULTS, fault=chief)
        for each in timings.verified.values():
            metrics.add(series.SEGMENTS_VERIFIED, verdict=each.verdict)
        metrics.add(series.SEGMENTS_RESPOKEN, timings.respoken)
        used = 1.0 if outcome == DeadlineExceeded.code else self.timeout_ratio
        if used is not None:
            metrics.observe(series.TIMEOUT_RATIO, used, lane=lane)
        if self.first_audio_s is not None:
            metrics.observe(series.FIRST_AUDIO_SECONDS, self.first_audio_s, lane=lane)
        if outcome == "completed":
            metrics.observe(series.REQUEST_SECONDS, self.age_s, lane=lane)
            metrics.observe(series.REAL_TIME_FACTOR, self.rtf, lane=lane)

    def _fields(self) -> dict[str, str | int | float]:
        """Returns the fields of the log line. The times of the stages and `between_s`, the time between
        stages, add up to `total_s`."""
        timings, total_s = self.timings, self.age_s
        seconds = {
            **{f"{stage}_s": seconds for stage, seconds in timings.stage_s.items()},
            "between_s": max(0.0, total_s - sum(timings.stage_s.values())),
            "total_s": total_s,
            "audio_s": timings.audio_s,
            "rtf": self.rtf,
        }
        return {
            "lane": self.lane or "-",
            "chars": self.length.n_chars if self.length else 0,
            "segments": timings.segments,
            "resampled": timings.resampled,
            "finish": timings.finish_reason,
            "verified": timings.worst.verdict if timings.worst else "-",
            "respoken": timings.respoken,
            **{name: round(float(value), 3) for name, value in seconds.items()},
            "client": self.client.name,
            "outcome": self.outcome,
        }

    @property
    def lane(self) -> LaneName | None:
        """The request's lane; None if the length of its text is not known."""
        return None if self.length is None else self.length.lane

    @property
    def age_s(self) -> float:
        """The time in seconds since the request arrived; for an ended request until its end."""
        return (self.ended_at or time.perf_counter()) - self.began_at

    @property
    def how_far(self) -> str:
        """A sentence for the client that says how much of the request was spoken."""
        n_segments = self.timings.segments
        if not n_segments:
            return "Nothing was spoken yet."
        return f"{len(self.ends)} of {n_segments} segments were spoken, {self.audio_done_s:.1f} s of audio."

    def note_timeout(self, permit: Permit) -> None:
        self.timeout_ratio = permit.timeout_ratio

    def took(self, heard_s: float, *, ends_segment: bool) -> None:
        """Notes a new chunk of the answer, which plays for `heard_s` seconds at the request's speed: when the
        first audio came, a gap in the playback, the end of a segment. Logs each end of a segment if the text
        has several segments. Called for each chunk as it is made."""
        self.audio_done_s += heard_s
        if self.state == "admitted":
            self.enter("speaking")
        if self.playback is not None:
            if self.first_audio_s is None:
                self.first_audio_s = self.age_s
            if gap_s := self.playback.came(heard_s):
                self.gaps_s.append(gap_s)
        if not ends_segment:
            return
        self.ends.append(self.audio_done_s)
        if (n_segments := self.timings.segments) > 1:
            done = len(self.ends), n_segments, self.audio_done_s
            progress_logger.info("segment %d of %d spoken, %.1f s of audio so far", *done)

    @property
    def rtf(self) -> float:
        return self.timings.generation_s / self.timings.audio_s if self.timings.audio_s else 0.0


@contextmanager
def recorded_outcome(log: RequestLog) -> Iterator[None]:
    """Ends the request if an error ends the `with` block: it is "cancelled" if the client has left or the
    task was cancelled, else "failed". Without an error the stage "send" begins. A streamed answer uses this
    twice: when it begins, and while its body is made and sent."""
    if log.timings.current == "send":
        log.timings.change("send", -1)
    try:
        yield
    except BaseException as error:
        if isinstance(error, _LEFT):
            log.enter("cancelled")
        else:
            log.enter("failed")
            log.error_code = error.code if isinstance(error, ServiceError) else "internal"
        raise
    log.timings.change("send", 1)
