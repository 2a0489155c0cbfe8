"""What Prometheus is told of several workers: of those that live, that began again, that are gone."""

from __future__ import annotations

import math
from typing import Any

import pytest

import glm_tts_api.api.routes  # noqa: F401  (it names the APIs)
from glm_tts_api.stats.exposition import exposition
from glm_tts_api.stats.metrics import (
    AUDIO_SECONDS,
    DECODE_ROWS,
    REQUEST_SECONDS,
    REQUESTS,
    STAGE_SECONDS,
    Metrics,
)
from glm_tts_api.stats.workers import KeyCounts, WorkerStats, no_counts
from tests.scraping import Scrape


def worker(number: int = 0, metrics: Metrics | None = None, **options: Any) -> WorkerStats:
    """The metrics of an engine to which nothing has happened unless `options` say so. By default one request
    is done, and one goes on."""
    told = {"pid": 4242, "phase": "ready", "restarts": 0, "watchdog_exits": 0, "resumed": 0, **options}
    told.setdefault("limits", {"short_text": 15, "long_text": 5})
    lanes = {"short_text": {**no_counts(), "active": 1}, "long_text": no_counts()}
    return WorkerStats(number=number, lanes=lanes, cells=(metrics or busy()).cells, **told)  # type: ignore[arg-type]


def scrape(*workers: WorkerStats, of_keys: KeyCounts | None = None) -> Scrape:
    return Scrape(exposition(workers, n_workers=2, of_keys=of_keys).decode())


def busy() -> Metrics:
    metrics = Metrics()
    metrics.add(REQUESTS, api="v1", lane="short_text", outcome="completed", format="wav")
    metrics.add(AUDIO_SECONDS, 2.5, lane="short_text")
    metrics.observe(REQUEST_SECONDS, 0.7, lane="short_text")
    metrics.set(DECODE_ROWS, 20)
    return metrics


def test_every_worker_is_told_of_under_its_own_name() -> None:
    told = scrape(worker(0), worker(1))
    for number in ("0", "1"):
        assert told("requests_total", worker=number, api="v1", outcome="completed", format="wav") == 1
        assert told("decode_rows", worker=number) == 20
        assert told("lane_active", worker=number, lane="short_text") == 1
        assert told("lane_limit", worker=number, lane="long_text") == 5
        assert told("worker_restarts_total", worker=number) == 0
        assert told("worker_ready", worker=number) == 1
    assert told("workers") == 2
    assert math.isnan(told("gpu_memory_total_bytes"))  # never set
    # As where a cluster's replicas are told of, whose number nobody sets.
    assert scrape(worker(0), worker(1), worker(2))("workers") == 3
    assert scrape(worker(0), worker(1), worker(2, alive=False))("workers") == 2


def test_a_dead_workers_gauges_vanish_and_its_counters_stay() -> None:
    told = scrape(worker(0, alive=False), worker(1))
    for gauge in ("decode_rows", "lane_active", "lane_limit", "worker_ready"):
        assert math.isnan(told(gauge, worker="0"))
        assert told(gauge, worker="1") >= 1
    assert told("requests_total", worker="0") == 1
    assert told("audio_seconds_total", worker="0", lane="short_text") == 2.5


def test_how_often_an_engine_began_again_and_what_went_on_with_it_is_told() -> None:
    told = scrape(worker(0, phase="loading", restarts=3, watchdog_exits=1, resumed=5), worker(1))
    assert told("engine_restarts_total", worker="0") == told("worker_restarts_total", worker="0") == 3
    assert told("watchdog_exits_total", worker="0") == 1
    assert told("requests_resumed_total", worker="0") == 5
    assert told("worker_ready", worker="0") == 0
    for series in ("engine_restarts_total", "watchdog_exits_total", "requests_resumed_total"):
        assert told(series, worker="1") == 0


def test_a_value_counts_in_every_bucket_that_it_fits() -> None:
    metrics = Metrics()
    for seconds in (0.01, 0.02, 0.3, 1000):  # a bound belongs to its bucket
        metrics.observe(STAGE_SECONDS, seconds, stage="decode")
    told = scrape(worker(0, metrics))
    counts = {
        le: told("stage_seconds_bucket", stage="decode", le=le) for le in ("0.01", "0.25", "300.0", "+Inf")
    }
    assert counts == {"0.01": 1, "0.25": 2, "300.0": 3, "+Inf": 4}
    assert told("stage_seconds_count", stage="decode") == 4
    assert told("stage_seconds_sum", stage="decode") == pytest.approx(1000.33)
    assert told("stage_seconds_count", stage="flow") == 0  # told of before the first
