"""What Prometheus is told of several workers: of those that live, that began again, that are gone."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest
from msgspec.structs import replace

from glm_tts_api.stats.exposition import exposition
from glm_tts_api.stats.figures import AUDIO_SECONDS, DECODE_ROWS, REQUEST_SECONDS, REQUESTS, STAGE_SECONDS
from glm_tts_api.stats.key_counts import KeyCounts
from glm_tts_api.stats.workers import WorkerRecord, WorkerStats
from tests.scraping import Scrape


def read(record: WorkerRecord, number: int = 0, **options: Any) -> WorkerStats:
    """The record as the service reads it, of an engine to which nothing has happened unless `options` say
    so."""
    told = {"pid": 4242, "phase": "ready", "restarts": 0, "watchdog_exits": 0, "resumed": 0, **options}
    told.setdefault("limits", {"short_text": 15, "long_text": 5})
    lanes = {lane: counters.read() for lane, counters in record.lanes.items()}
    return WorkerStats(number=number, lanes=lanes, cells=record.figures.cells, **told)


def scrape(*workers: WorkerStats, of_keys: KeyCounts | None = None) -> Scrape:
    told = exposition(workers, n_workers=2, of_keys=of_keys)
    return Scrape(told.decode())


def busy() -> WorkerRecord:
    """One request done, one going on."""
    record = WorkerRecord()
    record.figures.add(REQUESTS, api="v1", lane="short_text", outcome="completed", format="wav")
    record.figures.add(AUDIO_SECONDS, 2.5, lane="short_text")
    record.figures.observe(REQUEST_SECONDS, 0.7, lane="short_text")
    record.figures.set(DECODE_ROWS, 20)
    record.lanes["short_text"].add("active")
    return record


def test_every_worker_is_told_of_under_its_own_name() -> None:
    workers = [read(busy(), 0), read(busy(), 1)]
    told = scrape(*workers)
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
    assert scrape(*workers, read(busy(), 2))("workers") == 3
    assert scrape(*workers, read(busy(), 2, alive=False))("workers") == 2


def test_a_dead_workers_gauges_vanish_and_its_counters_stay() -> None:
    told = scrape(read(busy(), 0, alive=False), read(busy(), 1))
    for gauge in ("decode_rows", "lane_active", "lane_limit", "worker_ready"):
        assert math.isnan(told(gauge, worker="0"))
        assert told(gauge, worker="1") >= 1
    assert told("requests_total", worker="0") == 1
    assert told("audio_seconds_total", worker="0", lane="short_text") == 2.5


def test_how_often_an_engine_began_again_and_what_went_on_with_it_is_told() -> None:
    again = read(busy(), 0, phase="loading", restarts=3, watchdog_exits=1, resumed=5)
    told = scrape(again, read(busy(), 1))
    assert told("engine_restarts_total", worker="0") == told("worker_restarts_total", worker="0") == 3
    assert told("watchdog_exits_total", worker="0") == 1
    assert told("requests_resumed_total", worker="0") == 5
    assert told("worker_ready", worker="0") == 0
    for series in ("engine_restarts_total", "watchdog_exits_total", "requests_resumed_total"):
        assert told(series, worker="1") == 0


def test_what_was_read_stays_as_it_was_while_its_worker_counts_on() -> None:
    """It is told of from another thread."""
    record = busy()
    before = read(record)
    record.figures.add(AUDIO_SECONDS, 2.5, lane="short_text")
    record.lanes["short_text"].add("active")
    told = scrape(before)
    assert (told("audio_seconds_total"), told("lane_active", lane="short_text")) == (2.5, 1)
    assert replace(before, number=7).figures.cells == before.cells


def test_a_value_counts_in_every_bucket_that_it_fits() -> None:
    record = WorkerRecord()
    for seconds in (0.01, 0.02, 0.3, 1000):  # a bound belongs to its bucket
        record.figures.observe(STAGE_SECONDS, seconds, stage="decode")
    told = scrape(read(record))
    counts = {
        le: told("stage_seconds_bucket", stage="decode", le=le) for le in ("0.01", "0.25", "300.0", "+Inf")
    }
    assert counts == {"0.01": 1, "0.25": 2, "300.0": 3, "+Inf": 4}
    assert told("stage_seconds_count", stage="decode") == 4
    assert told("stage_seconds_sum", stage="decode") == pytest.approx(1000.33)
    assert told("stage_seconds_count", stage="flow") == 0  # told of before the first


def test_a_scrape_of_four_busy_workers_takes_milliseconds() -> None:
    """Of the processor's time; the bound is ten times the 20 ms that it may take."""
    records = [WorkerRecord() for _ in range(4)]
    for record in records:
        for outcome in REQUESTS.labels["outcome"]:
            record.figures.add(REQUESTS, api="v1", lane="short_text", outcome=outcome, format="wav")
    begin = time.thread_time()
    assert exposition(map(read, records), n_workers=4)
    assert time.thread_time() - begin < 0.2
