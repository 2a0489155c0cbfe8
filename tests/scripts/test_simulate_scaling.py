"""The simulation of many GPUs, against what queueing theory says exactly, and as its command line is used."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from bench.simulate_scaling import Measured, Service, simulate

ROOT = Path(__file__).parents[2]
EXPONENTIAL = [-math.log(1 - (i + 0.5) / 1000) for i in range(1000)]  # mean 1


SPEED_ONE = Measured(audio_rate={1: 1.0}, first_audio={10_000: 0.1}, audio_s=EXPONENTIAL, voice_s=0.0)


def test_one_place_waits_as_long_as_an_m_m_1_queue() -> None:
    """Of those who wait, the waits are exponential: P(wait > t) = load exp(-(1 - load) t)."""
    service = Service(SPEED_ONE, places=1, queue=10_000)
    found = simulate(service, replicas=1, load=0.8, route="random", requests=40_000)
    assert found.wait_p95 == pytest.approx(math.log(0.8 / 0.05) / (1 - 0.8), rel=0.1)
    assert found.wait_p95 < found.first_audio_p95 <= found.wait_p95 + 0.1
    assert found.refused == 0


def test_places_that_share_a_speed_take_as_long_as_a_processor_sharing_queue() -> None:
    """One request of length 1 takes 1 / (1 - load) in the mean, however the others are."""
    one_length = Measured({1: 1.0}, {10_000: 0.1}, [1.0], 0.0)
    service = Service(one_length, places=10_000)
    found = simulate(service, replicas=1, load=0.5, route="random", requests=20_000)
    assert found.wait_p95 == 0
    assert found.latency_mean == pytest.approx(2.0, rel=0.05)


def test_a_full_line_sends_requests_away() -> None:
    """With one place and no line a request is refused as often as the place is taken: load / (1 + load)."""
    service = Service(SPEED_ONE, places=1, queue=0)
    found = simulate(service, replicas=1, load=0.9, route="random", requests=20_000)
    assert found.refused == pytest.approx(0.9 / 1.9, rel=0.05)


def test_the_command_prints_a_row_for_each_size_routing_and_load(tmp_path: Path) -> None:
    level = {"concurrency": 1, "audio_s": [1.0, 4.0]}
    (tmp_path / "serve.json").write_text(json.dumps({"levels": [level]}))
    stream = {"concurrency": 1, "audio_s_per_s": 2.0, "first_audio_p50_s": 0.5}
    (tmp_path / "streams.json").write_text(json.dumps({"streams": [stream]}))
    files = (tmp_path / "serve.json", tmp_path / "streams.json")
    options = ["--sizes", "1", "2", "--requests", "400"]
    done = subprocess.run(
        [sys.executable, "-m", "bench.simulate_scaling", *files, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    head, columns, *rows = done.stdout.splitlines()
    assert "2.00 s of audio a second" in head
    assert "first audio p50 s" in columns
    assert [row.split()[0] for row in rows] == ["1"] * 6 + ["2"] * 18
