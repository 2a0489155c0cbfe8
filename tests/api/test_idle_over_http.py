"""IDLE_UNLOAD_S in a real server: the engine's process ends, health says idle, and the next request waits for
another."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.api.server_process import Server
from tests.api.waiting import wait_until

Start = Callable[..., Server]
FAILING = {"ENGINE": "tests.api.faulty_engine"}
PATIENCE_S = 120


def status(server: Server) -> tuple[int, str]:
    answer = server.client.get("/api/v1/health")
    return answer.status_code, answer.json()["status"]


def is_idle(server: Server) -> bool:
    return status(server) == (200, "idle")


def worker(server: Server) -> dict[str, Any]:
    (only,) = server.stats()["per_worker"]
    return dict(only)


def test_an_idle_server_is_ready_and_the_first_request_waits_until_the_model_is_back(process: Start) -> None:
    server = process("tests.api.real_app:app", environ=FAILING, idle_unload_s=1)
    pid = worker(server)["pid"]
    wait_until(lambda: is_idle(server), PATIENCE_S)
    wait_until(lambda: not Path(f"/proc/{pid}").exists())
    health = server.client.get("/api/v1/health").json()
    assert (health["model"], health["model_loaded"], health["cause"]) == (
        "tiny (demonstration model)",
        False,
        None,
    )
    assert (worker(server)["ready"], worker(server)["pid"]) == (True, None)
    with ThreadPoolExecutor(3) as pool:
        first, *others = [answer.result() for answer in [pool.submit(server.say, "ab") for _ in range(3)]]
    assert {answer.status_code for answer in (first, *others)} == {200}
    wait_until(lambda: is_idle(server), PATIENCE_S)
    again = server.say("ab")
    assert len({answer.json()["audio_base64"] for answer in (first, *others, again)}) == 1
    assert worker(server)["restarts"] == 0  # an unloaded engine has not died
    log = server.log.read_text()
    assert log.count("was idle: its process ends") == 2
    assert log.count("begins again, since a request waits for it") == 2
    assert log.count("Ready after") == 3
