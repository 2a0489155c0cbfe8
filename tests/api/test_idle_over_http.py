"""IDLE_UNLOAD_S in a real server: it says that it is idle, and the next request waits for the model."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.api.server_process import Server
from tests.api.waiting import wait_until

Start = Callable[..., Server]


def test_an_idle_server_is_ready_and_the_first_request_waits_until_the_model_is_back(process: Start) -> None:
    server = process("tests.api.failing_app:app", idle_unload_s=1)
    wait_until(lambda: status(server) == (200, "idle"), 60)
    before = server.client.get("/api/v1/health").json()
    assert (before["model"], before["model_loaded"], before["cause"]) == (
        "tiny (demonstration model)",
        False,
        None,
    )
    assert server.stats()["per_worker"][0]["ready"]
    with ThreadPoolExecutor(3) as pool:
        first, *others = [answer.result() for answer in [pool.submit(server.say, "ab") for _ in range(3)]]
    assert {answer.status_code for answer in (first, *others)} == {200}
    wait_until(lambda: status(server) == (200, "idle"), 60)
    again = server.say("ab")
    sounds = {answer.json()["audio_base64"] for answer in (first, *others, again)}
    assert len(sounds) == 1
    log = server.log.read_text()
    assert log.count("the model is unloaded") >= 2
    waiting = [line for line in log.splitlines() if "this request waits until it is there again" in line]
    assert any(f"[{again.headers['X-Request-Id']}]" in line for line in waiting)
    assert log.count("Ready after") >= 3


def test_a_load_that_holds_the_interpreter_longer_than_the_watchdog_waits_ends_nothing(
    process: Start,
) -> None:
    """The bound is for what holds up a server that speaks; it was not for the first load, either."""
    environ = {"LOAD_HOLDS_S": "4"}
    server = process(
        "tests.api.stalling_app:app",
        environ=environ,
        idle_unload_s=0.5,
        watchdog_s=3,
    )
    wait_until(lambda: status(server) == (200, "idle"), 60)
    assert server.say("ab").status_code == 200


def status(server: Server) -> tuple[int, str]:
    answer = server.client.get("/api/v1/health")
    return answer.status_code, answer.json()["status"]
