"""A step of the model that does not end, in a real server: readiness, exit, replacement, and the others."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest

from glm_tts_api.watchdog import EXIT_LOST
from tests.api.server_process import Server
from tests.api.waiting import wait_until

Start = Callable[..., Server]


@pytest.fixture
def start(process: Start) -> Start:
    def begin(**options: Any) -> Server:
        server = process("tests.api.stalling_app:app", **options)
        server.wait_until_all_speak()
        return server

    return begin


def health(server: Server) -> httpx.Response:
    """Of whichever worker answers."""
    return server.client.get("/api/v1/health", headers={"Connection": "close"})


def outcomes(log: str) -> dict[int, list[str]]:
    """By worker, what became of its requests, as the log says."""
    found: dict[int, list[str]] = {}
    for pid, outcome in re.findall(r"INFO (\d+) \[\w+\] glm_tts_api.request: .* outcome=(\w+)", log):
        found.setdefault(int(pid), []).append(outcome)
    return found


@contextmanager
def asking(server: Server, n_clients: int = 3) -> Iterator[None]:
    """Clients that ask for speech all the time, whatever becomes of it."""
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            with suppress(httpx.TransportError):
                server.say("abcd/abcd")

    with ThreadPoolExecutor(n_clients) as pool:
        for _ in range(n_clients):
            pool.submit(ask)
        try:
            yield
        finally:
            done.set()


def test_a_worker_that_stalls_says_so_ends_and_is_replaced_and_the_other_speaks_on(start: Start) -> None:
    server = start(
        workers=2,
        watchdog_s=12,
        short_text_timeout=600,
        environ={"UVICORN_TIMEOUT_WORKER_HEALTHCHECK": "120"},  # to load while the machine is busy
    )
    before = {worker["pid"] for worker in server.stats()["per_worker"]}
    unready: list[dict[str, Any]] = []

    def replaced() -> bool:
        with suppress(httpx.TransportError):
            answer = health(server)
            unready.extend([answer.json()] if answer.status_code == 503 else [])
            workers = server.stats()["per_worker"]
            after = {each["pid"] for each in workers}
            return len(after - before) == len(after & before) == 1 and all(w["ready"] for w in workers)
        return False

    with asking(server), ThreadPoolExecutor(1) as pool:
        fields = {"input_text": "ab!", "index": "exampleA"}
        stalling = pool.submit(server.client.post, "/api/v1/tts", data=fields, timeout=600)
        wait_until(replaced, 500)  # a machine that is slow for the model waits longer
        after = {worker["pid"] for worker in server.stats()["per_worker"]}
    told = server.scrape()
    assert told("watchdog_exits_total") == told("worker_restarts_total") == 1
    assert (stalling.result().status_code, stalling.result().json()["code"]) == (500, "internal")
    assert unready[0]["status"] == "unhealthy"
    assert re.fullmatch(r"a step of the model has not ended for \d+ s", unready[0]["cause"])
    log = server.log.read_text()
    (stalled,), (other,) = before - after, before & after
    assert set(outcomes(log)[other]) == {"completed"}
    assert "internal" in outcomes(log)[stalled]
    exits = re.findall(r'glm_tts_watchdog_exits_total{worker="\d"} (\S+)', server.client.get("/metrics").text)
    assert sorted(map(float, exits)) == [0, 1]
    assert "Thread decode:" in log
    assert "in wait_for_leave" in log
    assert f"Ending with exit code {EXIT_LOST}: a step of the model has not ended for" in log


def test_a_step_that_ends_after_all_is_answered_and_new_requests_are_taken_again(start: Start) -> None:
    server = start(watchdog_s=20)
    with ThreadPoolExecutor(1) as pool:
        stalling = pool.submit(server.say, "ab!")
        wait_until(lambda: health(server).status_code == 503)
        assert (server.say("ab").status_code, server.say("ab").json()["code"]) == (503, "unhealthy")
        (server.root / "go-on").touch()
        assert stalling.result().status_code == 200
    wait_until(lambda: health(server).status_code == 200)
    assert server.say("ab").status_code == 200


def test_a_slow_first_step_is_no_stall_and_a_process_whose_interpreter_hangs_ends(start: Start) -> None:
    server = start(watchdog_s=4, environ={"SLOW_FIRST_S": "5"})
    assert "Nothing new is begun" not in server.log.read_text()
    assert server.say("ab").status_code == 200
    with pytest.raises(httpx.TransportError):
        server.say("ab?")
    assert server.process.wait(60) == 1
    log = server.log.read_text()
    assert "Timeout (0:00:04)!" in log
    assert re.search(r'File ".*stalling_app.py", line \d+ in prefill', log)
