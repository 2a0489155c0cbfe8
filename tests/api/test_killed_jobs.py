"""A whole server is killed while it speaks a book: the next one goes on, to the same audio."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.api.server_process import Server
from tests.api.waiting import wait_until

APP = "tests.api.tone_app:app"
TEXT = "\n\n".join(f"第{number}段说的是江南的春天和那里的人们。" for number in range(30))


def begin(client: httpx.Client) -> str:
    fields = {"input_text": TEXT, "index": "exampleA", "seed": 7}
    return str(client.post("/api/v1/jobs", json=fields).raise_for_status().json()["id"])


def n_done(client: httpx.Client, id: str) -> int:
    return int(client.get(f"/api/v1/jobs/{id}").raise_for_status().json()["segments_done"])


def test_a_book_outlives_its_server(tmp_path: Path, process: Callable[..., Server]) -> None:
    jobs = tmp_path / "jobs"
    first = process(APP, environ={"TONE_DELAY_S": "600", "TONE_QUICK": "4"}, jobs_dir=jobs)
    id = begin(first.client)
    wait_until(lambda: n_done(first.client, id) >= 4)
    os.killpg(first.process.pid, signal.SIGKILL)
    first.process.wait()
    there = {path.name: path.stat().st_mtime_ns for path in (jobs / id / "audio").glob("*.flac")}

    second = process(APP, jobs_dir=jobs)
    wait_until(lambda: n_done(second.client, id) == 30)
    after = {path.name: path.stat().st_mtime_ns for path in (jobs / id / "audio").iterdir()}
    assert 4 <= len(there) < 30
    assert there.items() <= after.items(), "what was there is not made twice"
    other = begin(second.client)
    wait_until(lambda: n_done(second.client, other) == 30)
    killed, straight = (
        second.client.get(f"/api/v1/jobs/{each}/audio?format=wav").raise_for_status().content
        for each in (id, other)
    )
    assert killed == straight
