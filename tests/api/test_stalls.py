"""A step of the model that does not end, and a process that stands still, in a real server: what health says,
the engine's end, and how its requests go on."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.api.server_process import Server
from tests.api.waiting import wait_until

Start = Callable[..., Server]
STACK = r'File ".*faulty_engine.py", line \d+ in prefill'  # of the thread that stalled


@pytest.fixture
def start(process: Start) -> Start:
    def begin(stall_s: float, environ: dict[str, str] | None = None, **options: Any) -> Server:
        own = {"ENGINE": "tests.api.faulty_engine", "SLOTS": "4", "ENGINE_STALL_S": str(stall_s)}
        environ = {**own, **(environ or {})}
        server = process("tests.api.real_app:app", environ=environ, short_text_timeout=600, **options)
        server.wait_until_all_speak(120)
        return server

    return begin


def health(server: Server) -> httpx.Response:
    return server.client.get("/api/v1/health")


def statuses(server: Server) -> list[str]:
    return [worker["status"] for worker in server.stats()["per_worker"]]


def n_ended(server: Server) -> float:
    return server.scrape()("watchdog_exits_total")


def sound(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.json()["audio_base64"])


def test_an_engine_that_stalls_is_ended_its_request_goes_on_and_the_other_speaks_meanwhile(
    start: Start,
) -> None:
    server = start(3, workers=2)
    with ThreadPoolExecutor(1) as pool:
        stalling = pool.submit(server.say, "ab!")
        wait_until(lambda: "stalled" in statuses(server), 60)
        assert (health(server).status_code, health(server).json()["status"]) == (200, "healthy")
        assert [server.say("abcd").status_code for _ in range(2)] == [200] * 2
        wait_until(lambda: n_ended(server) == 1, 60)
        (server.root / "go-on").touch()
        assert stalling.result().status_code == 200
    told = server.scrape()
    exits = sorted(told("watchdog_exits_total", worker=number) for number in ("0", "1"))
    assert exits == [0, 1]
    assert told("engine_restarts_total") == told("requests_resumed_total") == 1
    assert told("requests_total", outcome="completed") == told("requests_total") == 3
    log = server.log.read_text()
    assert re.search(r"Engine \d is ended: it made no progress for \d+ s \(12 are allowed\)", log)
    assert re.search(STACK, log)


def test_a_slow_first_step_is_no_stall_and_an_engine_whose_interpreter_hangs_is_ended(start: Start) -> None:
    server = start(1, environ={"SLOW_FIRST_S": "5"})
    assert n_ended(server) == 0
    hung = sound(server.say("ab?"))  # by its successor
    assert n_ended(server) == 1
    assert sound(server.say("ab?")) == hung
    log = server.log.read_text()
    assert "Fatal Python error: Aborted" in log
    assert re.search(STACK, log)


def test_a_service_that_is_stopped_as_a_whole_goes_on_where_it_was(start: Start) -> None:
    """As a paused container, whose clock went on."""
    server = start(2)
    os.killpg(server.process.pid, signal.SIGSTOP)
    time.sleep(10)
    os.killpg(server.process.pid, signal.SIGCONT)
    assert server.say("ab").status_code == 200
    time.sleep(1)
    assert (n_ended(server), health(server).status_code) == (0, 200)
