"""What Prometheus is told of several workers: of those that live, that died, that took another's place."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from glm_tts_api.stats.exposition import exposition
from glm_tts_api.stats.figures import AUDIO_SECONDS, DECODE_ROWS, REQUEST_SECONDS, REQUESTS, STAGE_SECONDS
from glm_tts_api.stats.shared import SharedStats
from tests.scraping import Scrape


def scrape_text(folder: Path, service: int = 7) -> bytes:
    workers = SharedStats(folder, service=service).read()
    return exposition(workers, limits={"short_text": 15, "long_text": 5}, n_workers=2)


def scrape(folder: Path, service: int = 7) -> Scrape:
    return Scrape(scrape_text(folder, service).decode())


def speak_once(folder: Path, service: int, pipe: Connection) -> None:
    """A worker process: one request done, one going on; then it waits."""
    record = SharedStats(folder, service=service).claim()
    record.figures.add(REQUESTS, api="v1", lane="short_text", outcome="completed", format="wav")
    record.figures.add(AUDIO_SECONDS, 2.5, lane="short_text")
    record.figures.observe(REQUEST_SECONDS, 0.7, lane="short_text")
    record.figures.set(DECODE_ROWS, 20)
    record.lanes["short_text"].add("active")
    pipe.send(None)
    if pipe.recv() == "watchdog":
        record.count_watchdog_exit()
        os._exit(70)
    record.release()


class Worker:
    def __init__(self, folder: Path, service: int = 7) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("fork")
        self.process = context.Process(target=speak_once, args=(folder, service, theirs), daemon=True)
        self.process.start()
        self._pipe.recv()

    def kill(self) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()

    def end(self, how: str = "stop") -> None:
        self._pipe.send(how)
        self.process.join()


def test_every_worker_is_told_of_under_its_own_name(tmp_path: Path) -> None:
    workers = [Worker(tmp_path), Worker(tmp_path)]
    told = scrape(tmp_path)
    for slot in ("0", "1"):
        assert told("requests_total", worker=slot, api="v1", outcome="completed", format="wav") == 1
        assert told("decode_rows", worker=slot) == 20
        assert told("lane_active", worker=slot, lane="short_text") == 1
        assert told("lane_limit", worker=slot, lane="long_text") == 5
        assert told("worker_restarts_total", worker=slot) == 0
    assert told("workers") == 2
    more = Worker(tmp_path)  # as where a cluster's replicas are told of, whose number nobody sets
    assert scrape(tmp_path)("workers") == 3
    more.kill()
    assert scrape(tmp_path)("workers") == 2
    assert math.isnan(told("gpu_memory_total_bytes"))  # never set
    for worker in workers:
        worker.kill()


def test_a_killed_workers_gauges_vanish_and_its_counters_stay_and_grow(tmp_path: Path) -> None:
    victim, other = Worker(tmp_path), Worker(tmp_path)
    victim.kill()
    told = scrape(tmp_path)
    for gauge in ("decode_rows", "lane_active", "lane_limit"):
        assert math.isnan(told(gauge, worker="0"))
        assert told(gauge, worker="1") >= 1
    assert told("requests_total", worker="0") == 1
    assert told("audio_seconds_total", worker="0", lane="short_text") == 2.5
    successor = Worker(tmp_path)
    told = scrape(tmp_path)
    assert told("requests_total", worker="0") == 2
    assert told("request_seconds_count", worker="0", lane="short_text") == 2
    assert told("lane_active", worker="0", lane="short_text") == 1
    assert told("worker_restarts_total", worker="0") == 1
    assert told("worker_restarts_total", worker="1") == 0
    for worker in (other, successor):
        worker.kill()


def test_a_successors_gauges_are_its_own(tmp_path: Path) -> None:
    Worker(tmp_path).kill()
    record = SharedStats(tmp_path, service=7).claim()
    assert math.isnan(scrape(tmp_path)("decode_rows", worker="0"))
    record.release()


@pytest.mark.parametrize(("end", "deaths", "exits"), [("kill", 1, 0), ("watchdog", 1, 1), ("stop", 0, 0)])
def test_how_a_lone_worker_ended_is_told_by_the_next_start(
    tmp_path: Path, end: str, deaths: int, exits: int
) -> None:
    """Its service ends with it, so the next one has begun anew; only this is handed on."""
    worker = Worker(tmp_path, service=7)
    if end == "kill":
        worker.kill()
    else:
        worker.end(end)
    successor = Worker(tmp_path, service=8)
    told = scrape(tmp_path, service=8)
    assert told("worker_restarts_total", worker="0") == deaths
    assert told("watchdog_exits_total", worker="0") == exits
    assert told("requests_total") == 1  # the successor's own
    successor.kill()


def test_a_record_of_another_version_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "worker-0.slot").write_bytes(b"\1" * 160)
    worker = Worker(tmp_path)
    assert scrape(tmp_path)("worker_restarts_total", worker="0") == 0
    worker.kill()


def test_a_value_counts_in_every_bucket_that_it_fits(tmp_path: Path) -> None:
    record = SharedStats(tmp_path, service=7).claim()
    for seconds in (0.01, 0.02, 0.3, 1000):  # a bound belongs to its bucket
        record.figures.observe(STAGE_SECONDS, seconds, stage="decode")
    told = scrape(tmp_path)
    counts = {
        le: told("stage_seconds_bucket", stage="decode", le=le) for le in ("0.01", "0.25", "300.0", "+Inf")
    }
    assert counts == {"0.01": 1, "0.25": 2, "300.0": 3, "+Inf": 4}
    assert told("stage_seconds_count", stage="decode") == 4
    assert told("stage_seconds_sum", stage="decode") == pytest.approx(1000.33)
    assert told("stage_seconds_count", stage="flow") == 0  # told of before the first
    record.release()


def test_a_scrape_of_four_busy_workers_takes_milliseconds(tmp_path: Path) -> None:
    """Of the processor's time; the bound is ten times the 20 ms that it may take."""
    records = [SharedStats(tmp_path, service=7).claim() for _ in range(4)]
    for record in records:
        for outcome in REQUESTS.labels["outcome"]:
            record.figures.add(REQUESTS, api="v1", lane="short_text", outcome=outcome, format="wav")
    begin = time.thread_time()
    assert scrape_text(tmp_path)
    assert time.thread_time() - begin < 0.2
    for record in records:
        record.release()
