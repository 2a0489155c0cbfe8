"""Declares every counter, gauge and histogram that a worker keeps for /metrics, and stores their values as
one fixed row of numbers.

The values of each label are fixed once the first Metrics is made. So the row has a fixed size, can be sent to
other machines as bytes, and gives a bounded number of series. Knows no HTTP, no file and no client library;
exposition.py writes the series in Prometheus' format.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate, product
from typing import get_args

from glm_tts_api.contracts import STAGES, VERDICTS, AudioFormat, JobState, SegmentFault
from glm_tts_api.errors import ServiceError
from glm_tts_api.stats.lanes import LANES

APIS: list[str] = []  # the values of the label api, which api/routes.py adds
UNKNOWN = "none"  # the label for a request that was refused before its lane or format was known


def _codes(kind: type[ServiceError]) -> set[str]:
    return {kind.code}.union(*map(_codes, kind.__subclasses__()))


Labels = dict[str, Sequence[str]]
_LANE: Labels = {"lane": LANES}


@dataclass(frozen=True, eq=False)
class Series:
    """A metric. `name` is its name in /metrics without the prefix glm_tts_. `labels` has the names of its
    labels, each with all values that it can have. A row is one combination of these values. `buckets` are the
    upper bounds of a histogram's buckets; a last bucket without a bound follows."""

    name: str
    help: str
    labels: Labels = field(default_factory=dict)
    buckets: tuple[float, ...] = ()

    @property
    def row_cells(self) -> int:
        return len(self.buckets) + 2 if self.buckets else 1

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Yields the label values of each row."""
        return product(*self.labels.values())


class Counter(Series):
    """A metric for a number that only grows, also when its worker dies and another takes its place."""


class Gauge(Series):
    """A metric for a present value, such as the number of filled rows. The values of a dead worker are
    dropped, and a value that was never set is not exposed."""


class Histogram(Series):
    """A metric that counts observed values in buckets and sums them up."""


REQUESTS = Counter(
    "requests_total",
    "Speech requests by the outcome that the log gives them; a sentence of a WebSocket is one.",
    {
        "api": APIS,
        "lane": (UNKNOWN, *LANES),
        "outcome": ("completed", "cut", "cancelled", *sorted(_codes(ServiceError))),
        "format": (UNKNOWN, *get_args(AudioFormat)),
    },
)
AUDIO_SECONDS = Counter("audio_seconds_total", "Seconds of speech made.", _LANE)
SEGMENTS_RESAMPLED = Counter(
    "segments_resampled_total", "How often a segment was decoded again since its tokens could not be right."
)
SEGMENT_FAULTS = Counter(
    "segment_faults_total",
    "Segments that were spoken though their tokens could not be right.",
    {"fault": get_args(SegmentFault)},
)
SEGMENTS_VERIFIED = Counter(
    "segments_verified_total",
    "Segments that the recogniser heard, by its verdict on the take that was kept.",
    {"verdict": VERDICTS},
)
SEGMENTS_RESPOKEN = Counter(
    "segments_respoken_total", "How often a segment was spoken anew since other words were heard."
)
UNDERRUNS = Counter(
    "stream_underruns_total",
    "Gaps in streamed answers: a listener who played from the first audio on had nothing left to play.",
    _LANE,
)
UNDERRUN_SECONDS = Counter("stream_underrun_seconds_total", "Seconds of those gaps.", _LANE)
REQUEST_SECONDS = Histogram(
    "request_seconds",
    "From a request's arrival until its client had the whole answer.",
    _LANE,
    buckets=(0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 600),
)
TIMEOUT_RATIO = Histogram(
    "request_timeout_ratio",
    "The share of its time-out that a request with a place used up; 1 where it timed out.",
    _LANE,
    buckets=(0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1),
)
FIRST_AUDIO_SECONDS = Histogram(
    "time_to_first_audio_seconds",
    "From the arrival of a request for a streamed answer to its first audio.",
    _LANE,
    buckets=(0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30),
)
REAL_TIME_FACTOR = Histogram(
    "real_time_factor",
    "Seconds of work for a second of speech, of completed requests.",
    _LANE,
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10),
)
STAGE_SECONDS = Histogram(
    "stage_seconds",
    "Seconds of a request in each of its stages; of stages side by side the latest counts.",
    {"stage": STAGES},
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
EVENT_LOOP_LAG = Histogram(
    "event_loop_lag_seconds",
    "How late the server's event loop wakes, sampled fifty times a second.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
DECODE_ROWS_ACTIVE = Gauge("decode_rows_active", "Rows of the decode batch that are filled.")
DECODE_ROWS = Gauge("decode_rows", "Rows of the decode batch.")
KV_CELLS_USED = Gauge("kv_cells_used", "Positions of the KV cache in use.")
KV_CELLS = Gauge("kv_cells", "Positions of the KV cache.")
GPU_USED = Gauge("gpu_memory_used_bytes", "Memory of the engine's GPU that any program uses.")
GPU_TOTAL = Gauge("gpu_memory_total_bytes", "Memory of the engine's GPU.")
JOBS = Gauge("jobs", "Books in each state, under the first worker.", {"state": get_args(JobState)})
JOB_UNITS = Counter("job_units_total", "Spoken pieces of books, under the first worker.")

SERIES = tuple(each for each in list(globals().values()) if isinstance(each, Series))
_MANY_ROWS = 100


@cache
def _starts() -> dict[tuple[Series, tuple[str, ...]], int]:
    """Returns the first cell of each row."""
    rows = [(series, values) for series in SERIES for values in series.rows()]
    ends = accumulate(series.row_cells for series, _ in rows)
    return dict(zip(rows, (0, *ends), strict=False))


class Metrics:
    """The values of all series of one worker. `cells` has values to read, as the bytes of doubles; without
    it, counting starts at 0. Only the event loop writes the values."""

    def __init__(self, cells: bytes = b"") -> None:
        self._cells = array("d", cells or bytes(8 * sum(series.row_cells for series, _ in _starts())))
        if not cells:
            self.forget_gauges()

    @property
    def cells(self) -> bytes:
        return self._cells.tobytes()

    def add(self, counter: Counter, amount: float = 1, **labels: str) -> None:
        self._cells[_start(counter, labels)] += amount

    def observe(self, histogram: Histogram, value: float, **labels: str) -> None:
        start = _start(histogram, labels)
        self._cells[start + bisect_left(histogram.buckets, value)] += 1
        self._cells[start + len(histogram.buckets) + 1] += value

    def set(self, gauge: Gauge, value: float, **labels: str) -> None:
        self._cells[_start(gauge, labels)] = value

    def forget_gauges(self) -> None:
        for gauge in (series for series in SERIES if isinstance(series, Gauge)):
            for values in gauge.rows():
                self._cells[_starts()[gauge, values]] = math.nan

    def read(self, series: Series) -> Iterator[tuple[tuple[str, ...], list[float]]]:
        """Yields the label values and the cells of each row of `series` that is to be exposed. Gauges that
        were never set are left out. If `series` has more than 100 rows, rows whose first cell is 0 are left
        out too."""
        rows = list(series.rows())
        for labels in rows:
            start = _starts()[series, labels]
            first = self._cells[start]
            if (first or len(rows) <= _MANY_ROWS) and not math.isnan(first):
                yield labels, list(self._cells[start : start + series.row_cells])


def _start(series: Series, labels: dict[str, str]) -> int:
    return _starts()[series, tuple(labels[name] for name in series.labels)]
