"""A step of the model that does not end, in a real server: readiness, exit, replacement, and the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from server_process import Server
from waiting import wait_until

from glm_tts_api.watchdog import EXIT_LOST

SOME_SECONDS = "/".join(["abcdefgh"] * 4)
Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as ends:

        def begin(*, environ: dict[str, str] | None = None, **settings: object) -> Server:
            server = Server(tmp_path / "server", "stalling_app:app", environ=environ, **settings)
            ends.callback(server.end)
            wait_until(lambda: all(worker["ready"] for worker in server.stats()["per_worker"]), 60)
            return server

        yield begin


def health(server: Server) -> httpx.Response:
    """Of whichever worker answers."""
    return server.client.get("/api/v1/health", headers={"Connection": "close"})


def outcomes(log: str) -> dict[str, list[str]]:
    """By worker, what became of its requests, as the log says."""
    found: dict[str, list[str]] = {}
    for pid, outcome in re.findall(r"INFO (\d+) \[\w+\] glm_tts_api.request: .* outcome=(\w+)", log):
        found.setdefault(pid, []).append(outcome)
    return found


def test_a_worker_that_stalls_says_so_ends_and_is_replaced_and_the_other_speaks_on(start: Start) -> None:
    server = start(workers=2, stall_s=1, watchdog_s=8)
    with ThreadPoolExecutor(8) as pool:
        before = [pool.submit(server.say, SOME_SECONDS) for _ in range(7)]
        wait_until(lambda: all(w["short_text"]["active"] > 0 for w in server.stats()["per_worker"]))
        stalling = pool.submit(server.say, "ab!")
        wait_until(lambda: health(server).status_code == 503)
        unready = health(server)
        while unready.status_code == 200:  # the other one's
            unready = health(server)
        assert unready.json()["status"] == "unhealthy"
        assert re.fullmatch(r"a step of the model has not ended for \d+ s", unready.json()["cause"])
        by_status = {each["status"]: each["pid"] for each in server.stats()["per_worker"]}
        assert set(by_status) == {"ready", "stalled"}
        others = [server.say("ab") for _ in range(8)]
        assert {
            (each.status_code, each.json().get("code") if each.status_code == 503 else None)
            for each in others
        } == {(200, None), (503, "unhealthy")}
        answers = [each.result().status_code for each in (*before, stalling)]
    stalled, ready = str(by_status["stalled"]), str(by_status["ready"])
    assert stalling.result().json()["code"] == "internal"
    log = server.log.read_text()
    assert set(outcomes(log)[ready]) == {"completed"}
    assert answers.count(500) == outcomes(log)[stalled].count("internal")
    assert answers.count(200) + answers.count(500) == len(answers)

    def replaced() -> bool:
        try:
            workers = server.stats()["per_worker"]
        except httpx.TransportError:
            return False
        pids = {str(each["pid"]) for each in workers}
        return len(pids) == 2 and stalled not in pids and ready in pids and all(w["ready"] for w in workers)

    wait_until(replaced, 60)
    assert [health(server).status_code for _ in range(6)] == [200] * 6
    assert [server.say("ab").status_code for _ in range(4)] == [200] * 4
    log = server.log.read_text()
    assert "Thread decode:" in log
    assert "in wait_for_leave" in log
    assert f"Ending with exit code {EXIT_LOST}: a step of the model did not end within 8 s" in log


def test_a_step_that_ends_after_all_is_answered_and_new_requests_are_taken_again(start: Start) -> None:
    server = start(stall_s=1)
    with ThreadPoolExecutor(1) as pool:
        stalling = pool.submit(server.say, "ab!")
        wait_until(lambda: health(server).status_code == 503)
        assert (server.say("ab").status_code, server.say("ab").json()["code"]) == (503, "unhealthy")
        (server.root / "go-on").touch()
        assert stalling.result().status_code == 200
    wait_until(lambda: health(server).status_code == 200)
    assert server.say("ab").status_code == 200


def test_a_slow_first_step_is_no_stall_and_a_process_whose_interpreter_hangs_ends(start: Start) -> None:
    server = start(stall_s=1, watchdog_s=2, environ={"SLOW_FIRST_S": "4"})
    assert "Nothing new is begun" not in server.log.read_text()
    assert server.say("ab").status_code == 200
    with pytest.raises(httpx.TransportError):
        server.say("ab?")
    assert server.process.wait(60) == 1
    log = server.log.read_text()
    assert "Timeout (0:00:02)!" in log
    assert re.search(r'File ".*stalling_app.py", line \d+ in prefill', log)
