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
from glm_tts_api.stats.figures import LANES, SERIES, Counter, Gauge, Histogram, Series
from glm_tts_api.stats.key_counts import KeyCounts
from glm_tts_api.stats.workers import WorkerStats

CONTENT_TYPE = CONTENT_TYPE_LATEST
_PREFIX = "glm_tts_"
_LANE_GAUGES = {
    "active": "Requests that have a place in the lane.",
    "waiting": "Requests in the lane's queue.",
}
_LANE_COUNTERS = {
    "total": ("admitted", "Requests that were given a place."),
    "rejected": ("rejected", "Requests sent away because the queue was full."),
}


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
    """Collects each metric of the service once, with a sample for each worker."""

    def __init__(self, workers: list[WorkerStats], n_workers: int, of_keys: KeyCounts) -> None:
        self._of_keys = of_keys
        self._workers = workers
        self._live = [worker for worker in workers if worker.alive]
        self._n_workers = max(n_workers, len(self._live))

    def collect(self) -> Iterator[Metric]:
        build = _build()
        info = GaugeMetricFamily(f"{_PREFIX}build_info", "What runs; always 1.", labels=list(build))
        info.add_metric(list(build.values()), 1)
        yield info
        yield GaugeMetricFamily(f"{_PREFIX}workers", "Engines that should run.", self._n_workers)
        yield from self._of_workers()
        yield from self._of_lanes()
        if self._of_keys.requests:
            yield from self._of_named_keys()
        for series in SERIES:
            yield self._family(series)

    def _of_workers(self) -> Iterator[Metric]:
        restarts = CounterMetricFamily(
            f"{_PREFIX}worker_restarts", "The same as engine_restarts, its earlier name.", labels=["worker"]
        )
        engine_restarts = CounterMetricFamily(
            f"{_PREFIX}engine_restarts", "Starts in the place of an engine that had died.", labels=["worker"]
        )
        exits = CounterMetricFamily(
            f"{_PREFIX}watchdog_exits",
            "Times that the engine was ended because a step hung.",
            labels=["worker"],
        )
        resumed = CounterMetricFamily(
            f"{_PREFIX}requests_resumed",
            "Requests that went on with this engine after their own had died.",
            labels=["worker"],
        )
        ready = GaugeMetricFamily(
            f"{_PREFIX}worker_ready",
            "1 if the engine can speak; 0 while it loads or hangs, or if it was given up.",
            labels=["worker"],
        )
        for worker in self._live:
            ready.add_metric([str(worker.number)], worker.ready)
        for worker in self._workers:
            for series in (restarts, engine_restarts):
                series.add_metric([str(worker.number)], worker.restarts)
            exits.add_metric([str(worker.number)], worker.watchdog_exits)
            resumed.add_metric([str(worker.number)], worker.resumed)
        yield from (ready, restarts, engine_restarts, exits, resumed)

    def _of_lanes(self) -> Iterator[Metric]:
        labels = ["worker", "lane"]
        limit = GaugeMetricFamily(f"{_PREFIX}lane_limit", "Places in the lane.", labels=labels)
        for worker in self._live:
            for lane in LANES:
                limit.add_metric([str(worker.number), lane], worker.limits[lane])
        yield limit
        for name, told in _LANE_GAUGES.items():
            gauge = GaugeMetricFamily(f"{_PREFIX}lane_{name}", told, labels=labels)
            for worker in self._live:
                for lane in LANES:
                    gauge.add_metric([str(worker.number), lane], getattr(worker.lanes[lane], name))
            yield gauge
        for field, (name, told) in _LANE_COUNTERS.items():
            counter = CounterMetricFamily(f"{_PREFIX}lane_{name}", told, labels=labels)
            for worker in self._workers:
                for lane in LANES:
                    counter.add_metric([str(worker.number), lane], getattr(worker.lanes[lane], field))
            yield counter

    def _of_named_keys(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            f"{_PREFIX}key_requests",
            "Speech requests of each key of API_KEYS_FILE, by their outcome.",
            labels=["key", "outcome"],
        )
        for (key, outcome), n_requests in list(self._of_keys.requests.items()):
            requests.add_metric([key, outcome], n_requests)
        audio = CounterMetricFamily(
            f"{_PREFIX}key_audio_seconds", "Seconds of speech made for each of these keys.", labels=["key"]
        )
        for key, seconds in list(self._of_keys.audio_s.items()):
            audio.add_metric([key], seconds)
        yield from (requests, audio)

    def _family(self, series: Series) -> Metric:
        name, labels = _PREFIX + series.name, ["worker", *series.labels]
        family: HistogramMetricFamily | GaugeMetricFamily | CounterMetricFamily
        if isinstance(series, Histogram):
            family = HistogramMetricFamily(name, series.help, labels=labels)
            bounds = [*map(str, map(float, series.buckets)), "+Inf"]
            for values, cells in self._samples(series):
                counts = accumulate(cells[:-1])
                family.add_metric(values, list(zip(bounds, counts, strict=True)), cells[-1])
            return family
        kind = CounterMetricFamily if isinstance(series, Counter) else GaugeMetricFamily
        family = kind(name, series.help, labels=labels)
        for values, cells in self._samples(series):
            family.add_metric(values, cells[0])
        return family

    def _samples(self, series: Series) -> Iterator[tuple[list[str], list[float]]]:
        for worker in self._live if isinstance(series, Gauge) else self._workers:
            for labels, cells in worker.figures.read(series):
                yield [str(worker.number), *labels], cells
