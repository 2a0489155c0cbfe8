"""A server's memory does not grow with the length of its books."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.api.server_process import Server

PARAGRAPH = "第一段说的是江南的春天，和那里的人们怎样过日子，他们早起晚睡。\n\n"
MOST_MB = 64  # more than before: the numbers of samples of 60,000 units, and what the allocator keeps
RUNS_S = 8.0


def resident_mb(server: Server) -> float:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@pytest.mark.parametrize("n_characters", [2_000, 200_000, 2_000_000])
def test_it_stays_flat(process: Callable[..., Server], n_characters: int) -> None:
    server = process("tests.api.tone_app:app", environ={"TONE_SECONDS": "0.05"})
    before = resident_mb(server)
    text = (PARAGRAPH * (n_characters // len(PARAGRAPH) + 1))[:n_characters]
    with httpx.Client(base_url=server.client.base_url, timeout=300, trust_env=False) as client:
        id = client.post("/api/v1/jobs", json={"input_text": text, "index": "exampleA"}).json()["id"]
        highest, end = 0.0, math.inf
        while time.monotonic() < end:
            highest = max(highest, resident_mb(server))
            if end == math.inf and client.get(f"/api/v1/jobs/{id}").json()["segments_done"]:
                end = time.monotonic() + RUNS_S
            time.sleep(0.1)
        assert len(client.get(f"/api/v1/jobs/{id}/audio?format=wav").content) > 2**20
        highest = max(highest, resident_mb(server))
        assert client.get(f"/api/v1/jobs/{id}").json()["segments"] == pytest.approx(
            n_characters / 33, rel=0.1
        )
    print(f"{n_characters} characters: {before:.0f} MB before, {highest:.0f} MB at most")
    assert highest < before + MOST_MB
