"""Writes the metrics of every worker (an engine with its share of the service) in Prometheus' text format.
The only module that uses prometheus_client."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import version
from itertools import accumulate

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from glm_tts_api import __version__
from glm_tts_api.stats.lanes import LANES
from glm_tts_api.stats.metrics import SERIES, Counter, Gauge, Histogram, Metrics, Series
from glm_tts_api.stats.workers import KeyCounts, LaneCount, WorkerStats

CONTENT_TYPE = CONTENT_TYPE_LATEST
_PREFIX = "glm_tts_"
_Kind = type[CounterMetricFamily] | type[GaugeMetricFamily]
_Samples = Iterable[tuple[list[str], float]]
_OF_WORKERS = (
    ("worker_restarts", "The same as engine_restarts, its earlier name.", "restarts"),
    ("engine_restarts", "Starts in the place of an engine that had died.", "restarts"),
    ("watchdog_exits", "Times that the engine was ended because a step hung.", "watchdog_exits"),
    ("requests_resumed", "Requests that went on with this engine after their own had died.", "resumed"),
)


def exposition(workers: Iterable[WorkerStats], *, n_workers: int, of_keys: KeyCounts | None = None) -> bytes:
    """Returns the metrics of `workers` in Prometheus' text format. `n_workers` is how many workers there
    should be; if more run, their number is shown instead. `of_keys` has the counts of named API keys."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Service(list(workers), n_workers, of_keys or KeyCounts()))
    return generate_latest(registry)


@cache
def _build() -> dict[str, str]:
    return {"version": __version__, "python": platform.python_version(), "torch": version("torch")}


class _Service(Collector):
    """Collects each metric of the service once, with a sample for each worker. Gauges are those of the
    workers that live."""

    def __init__(self, workers: list[WorkerStats], n_workers: int, of_keys: KeyCounts) -> None:
        self._of_keys = of_keys
        self._workers = workers
        self._live = [worker for worker in workers if worker.alive]
        self._n_workers = max(n_workers, len(self._live))

    def collect(self) -> Iterator[Metric]:
        build = _build()
        info = [([*build.values()], 1.0)]
        yield _family(GaugeMetricFamily, "build_info", "What runs; always 1.", [*build], info)
        yield GaugeMetricFamily(f"{_PREFIX}workers", "Engines that should run.", self._n_workers)
        yield from self._of_workers()
        yield from self._of_lanes()
        if self._of_keys.requests:
            yield from self._of_named_keys()
        for series in SERIES:
            yield self._of_series(series)

    def _of_workers(self) -> Iterator[Metric]:
        told = "1 if the engine can speak; 0 while it loads or hangs, or if it was given up."
        ready = (([str(worker.number)], worker.ready) for worker in self._live)
        yield _family(GaugeMetricFamily, "worker_ready", told, ["worker"], ready)
        for name, told, field in _OF_WORKERS:
            samples = (([str(worker.number)], getattr(worker, field)) for worker in self._workers)
            yield _family(CounterMetricFamily, name, told, ["worker"], samples)

    def _of_lanes(self) -> Iterator[Metric]:
        def family(kind: _Kind, name: str, told: str, count: LaneCount | None = None) -> Metric:
            samples = (
                ([str(worker.number), lane], worker.lanes[lane][count] if count else worker.limits[lane])
                for worker in (self._workers if kind is CounterMetricFamily else self._live)
                for lane in LANES
            )
            return _family(kind, f"lane_{name}", told, ["worker", "lane"], samples)

        yield family(GaugeMetricFamily, "limit", "Places in the lane.")
        yield family(GaugeMetricFamily, "active", "Requests that have a place in the lane.", "active")
        yield family(GaugeMetricFamily, "waiting", "Requests in the lane's queue.", "waiting")
        yield family(CounterMetricFamily, "admitted", "Requests that were given a place.", "total")
        told = "Requests sent away because the queue was full."
        yield family(CounterMetricFamily, "rejected", told, "rejected")

    def _of_named_keys(self) -> Iterator[Metric]:
        told = "Speech requests of each key of API_KEYS_FILE, by their outcome."
        requests = (([*row], n_requests) for row, n_requests in list(self._of_keys.requests.items()))
        yield _family(CounterMetricFamily, "key_requests", told, ["key", "outcome"], requests)
        told = "Seconds of speech made for each of these keys."
        audio = (([key], seconds) for key, seconds in list(self._of_keys.audio_s.items()))
        yield _family(CounterMetricFamily, "key_audio_seconds", told, ["key"], audio)

    def _of_series(self, series: Series) -> Metric:
        labels = ["worker", *series.labels]
        if not isinstance(series, Histogram):
            kind = CounterMetricFamily if isinstance(series, Counter) else GaugeMetricFamily
            values = ((row, cells[0]) for row, cells in self._rows(series))
            return _family(kind, series.name, series.help, labels, values)
        histogram = HistogramMetricFamily(_PREFIX + series.name, series.help, labels=labels)
        bounds = [*map(str, map(float, series.buckets)), "+Inf"]
        for row, cells in self._rows(series):
            counts = accumulate(cells[:-1])
            histogram.add_metric(row, list(zip(bounds, counts, strict=True)), cells[-1])
        return histogram

    def _rows(self, series: Series) -> Iterator[tuple[list[str], list[float]]]:
        for worker in self._live if isinstance(series, Gauge) else self._workers:
            for labels, cells in Metrics(worker.cells).read(series):
                yield [str(worker.number), *labels], cells


def _family(kind: _Kind, name: str, told: str, labels: list[str], samples: _Samples) -> Metric:
    family = kind(_PREFIX + name, told, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family
