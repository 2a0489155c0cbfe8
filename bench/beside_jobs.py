"""Measures how much a running job (a book) delays short requests: their latency without and with a job.

    python bench/beside_jobs.py [--rounds 4] [--requests 15]

Starts a server for the measurement. Rounds without and with a running job alternate: the job is paused in the
rounds without.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.report import Progress
from bench.serve import running_server

TEXT = "你好，欢迎使用语音合成服务。"
BOOK = "\n\n".join(f"第{number}段说的是江南的春天，和那里的人们怎样过日子。" for number in range(2000))
_SETTLES_S = 3.0


def latencies(client: httpx.Client, n_requests: int, progress: Progress) -> list[float]:
    """Sends `n_requests` short requests one after the other, and returns the seconds that each took."""
    seconds = []
    for seed in range(n_requests):
        begin = time.perf_counter()
        fields = {"input_text": TEXT, "index": "exampleA", "response_format": "wav", "seed": seed}
        client.post("/api/v1/tts", json=fields).raise_for_status()
        seconds.append(time.perf_counter() - begin)
        progress.step()
    return seconds


def p95(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--requests", type=int, default=15)
    arguments = parser.parse_args()
    alone, beside = list[float](), list[float]()
    progress = Progress(2 * arguments.rounds * arguments.requests)
    with running_server(progress) as (url, _), httpx.Client(base_url=url, timeout=600) as client:
        job = client.post("/api/v1/jobs", json={"input_text": BOOK, "index": "exampleA"}).json()["id"]
        for _ in range(arguments.rounds):
            client.post(f"/api/v1/jobs/{job}/pause").raise_for_status()
            time.sleep(_SETTLES_S)
            alone += latencies(client, arguments.requests, progress)
            client.post(f"/api/v1/jobs/{job}/resume").raise_for_status()
            time.sleep(_SETTLES_S)
            beside += latencies(client, arguments.requests, progress)
        done = client.get(f"/api/v1/jobs/{job}").json()
        client.delete(f"/api/v1/jobs/{job}")
    for name, seconds in (("without a job", alone), ("with a job", beside)):
        print(f"{name}: p50 {statistics.median(seconds):.2f} s, p95 {p95(seconds):.2f} s")
    print(f"p95 with / without: {p95(beside) / p95(alone):.2f}")
    print(f"the job made {done['segments_done']} segments, {done['audio_seconds']:.0f} s of audio")


if __name__ == "__main__":
    main()
