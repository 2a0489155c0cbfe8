"""The server as processes: signals, draining, several workers, workers that are killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.api.server_process import REPOSITORY, Server
from tests.api.waiting import wait_until
from tests.recordings import encoded, voice


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_lets_accepted_requests_end_and_refuses_new_ones(
    start: Callable[..., Server], number: signal.Signals
) -> None:
    server = start(delay_s=1.5, short_text_concurrency=1)
    accepted = server.say_together(2)
    wait_until(lambda: server.lane()["waiting"] == 1)
    server.process.send_signal(number)
    wait_until(lambda: server.client.get("/api/v1/health").json()["status"] == "draining")
    refused = server.say()
    assert (refused.status_code, refused.json()["code"]) == (503, "draining")
    assert refused.headers["Retry-After"]
    assert refused.headers["Connection"] == "close"
    assert server.client.get("/api/v1/health/live").status_code == 200
    assert [future.result().status_code for future in accepted] == [200, 200]
    server.process.wait(20)
    assert "Traceback" not in server.log.read_text()


def test_what_is_not_done_in_time_is_answered_503(start: Callable[..., Server]) -> None:
    server = start(delay_s=60, short_text_concurrency=1, drain_timeout=1)
    accepted = server.say_together(3)
    wait_until(lambda: server.lane()["waiting"] == 2)
    server.process.send_signal(signal.SIGTERM)
    answers = [future.result() for future in accepted]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(503, "draining")] * 3
    server.process.wait(20)
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_sigterm_changes_nothing(start: Callable[..., Server], workers: int) -> None:
    """As where someone kills the server and a script, or a supervisor, then stops it."""
    server = start(delay_s=2, workers=workers)
    accepted = server.say_together(2)
    wait_until(lambda: server.lane()["active"] == 2)
    pids = [worker["pid"] for worker in server.stats()["per_worker"]]
    for _ in range(3):
        for pid in {server.process.pid, *pids}:
            with suppress(ProcessLookupError):  # a worker without a request is done at once
                os.kill(pid, signal.SIGTERM)
        time.sleep(0.3)
    assert [future.result().status_code for future in accepted] == [200, 200]
    server.process.wait(20)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("send", [os.kill, os.killpg])
@pytest.mark.parametrize("numbers", [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGQUIT)])
def test_ctrl_c_twice_or_sigquit_ends_at_once(
    start: Callable[..., Server], workers: int, numbers: tuple[int, ...], send: Callable[[int, int], None]
) -> None:
    """To the whole process group, as a terminal sends it, or to the parent alone."""
    server = start(delay_s=60, workers=workers)
    accepted = server.say_together(2)
    wait_until(lambda: server.lane()["active"] == 2)
    for number in numbers:
        send(server.process.pid, number)
        time.sleep(0.3)
    answers = [future.result() for future in accepted]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(503, "draining")] * 2
    server.process.wait(20)
    assert "Traceback" not in server.log.read_text()


def test_ctrl_c_that_also_comes_through_the_parent_cuts_nothing_short(start: Callable[..., Server]) -> None:
    server = start(delay_s=1.5)
    accepted = server.say_together(1)
    wait_until(lambda: server.lane()["active"] == 1)
    server.process.send_signal(signal.SIGINT)
    server.process.send_signal(signal.SIGTERM)
    assert accepted[0].result().status_code == 200
    server.process.wait(20)


def test_a_client_that_never_finishes_its_upload_does_not_hold_up_a_stop(
    start: Callable[..., Server],
) -> None:
    server = start(drain_timeout=0.5)
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(
            b"POST /api/v1/tts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 99\r\n\r\n{"
        )
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        assert b"503" in client.recv(1000)
        server.process.wait(20)


def test_health_is_answered_while_others_upload_and_speak(start: Callable[..., Server]) -> None:
    """Recordings of 29 s are decoded and minutes of speech encoded, none of it on the event loop."""
    server = start(tone_s=60)
    recording = encoded(np.tile(voice(2.9), 10), 24000, "FLAC")

    def speak(_: int) -> int:
        with httpx.Client(base_url=server.client.base_url, timeout=60, trust_env=False) as client:
            fields = {"input_text": "hello", "prompt_text": "said", "response_format": "wav"}
            return client.post(
                "/api/v1/tts", data=fields, files={"prompt_audio": ("a", recording)}
            ).status_code

    with ThreadPoolExecutor(2) as pool:
        speaking = [pool.submit(speak, number) for number in range(10)]
        n_answered = 0
        while not all(done.done() for done in speaking):
            assert server.client.get("/api/v1/health").status_code == 200
            n_answered += 1
    assert [done.result() for done in speaking] == [200] * 10
    assert n_answered > 5  # what stood in its way let one through between two recordings at most


def test_two_workers_count_as_one_service(start: Callable[..., Server]) -> None:
    server = start(workers=2, short_text_concurrency=2)
    for future in server.say_together(12):
        assert future.result().status_code == 200
    wait_until(lambda: server.lane()["active"] == 0)
    for _ in range(6):  # whichever worker answers
        body = server.stats()
        lane = body["stats"]["short_text"]
        assert (lane["total"], lane["completed"], lane["limit"], lane["available"]) == (12, 12, 4, 4)
        assert [worker["slot"] for worker in body["per_worker"]] == [0, 1]
        assert sum(worker["short_text"]["total"] for worker in body["per_worker"]) == 12
        told = server.scrape()
        assert told("requests_total", outcome="completed") == 12
        assert told("worker_ready", worker="0") == told("worker_ready", worker="1") == 1
    assert body["config"]["workers"] == 2
    assert body["config"]["concurrency"]["short_text"] == 2


def test_each_of_two_workers_lists_the_requests_that_it_speaks(start: Callable[..., Server]) -> None:
    server = start(workers=2, delay_s=60)
    server.say_together(8)
    wait_until(lambda: server.lane()["active"] == 8)
    listed: dict[int, list[str]] = {}
    while len(listed) < 2:  # whichever worker answers
        body = server.stats()
        slot = body["worker"]["slot"]
        assert body["per_worker"][slot]["pid"] == body["worker"]["pid"]
        assert len(body["active"]) == body["per_worker"][slot]["short_text"]["active"]
        listed[slot] = [request["request_id"] for request in body["active"]]
    assert len({*listed[0], *listed[1]}) == 8


def test_no_request_waits_while_another_worker_has_permits(start: Callable[..., Server]) -> None:
    """Nine tenths of all permits are taken, so an uneven spread would leave some in line."""
    server = start(workers=3, delay_s=60, short_text_concurrency=10, load_s=(0.0, 0.0, 0.0))

    def n_there() -> int:
        lane = server.lane()
        return lane["active"] + lane["waiting"]

    for n in range(1, 28):
        server.say_together(1)
        wait_until(lambda n=n: n_there() == n)  # type: ignore[misc]
    assert [worker["short_text"]["waiting"] for worker in server.stats()["per_worker"]] == [0, 0, 0]


def test_a_killed_worker_comes_back_and_the_totals_stay(start: Callable[..., Server]) -> None:
    """Also one that dies while its parent waits for a sign of life from it."""
    server = start(workers=2, delay_s=0.2, environ={"UVICORN_TIMEOUT_WORKER_HEALTHCHECK": "600"})
    for future in server.say_together(8):
        future.result()
    victim, other = server.stats()["per_worker"]
    os.kill(victim["pid"], signal.SIGSTOP)
    time.sleep(1.5)
    os.kill(victim["pid"], signal.SIGKILL)

    def back() -> bool:
        try:
            pids = {worker["pid"] for worker in server.stats()["per_worker"]}
        except httpx.TransportError:
            return False
        return len(pids) == 2 and victim["pid"] not in pids and other["pid"] in pids

    wait_until(back, 60)
    lane = server.lane()
    assert (lane["total"], lane["completed"], lane["active"], lane["limit"]) == (8, 8, 0, 30)
    told = server.scrape()
    assert (told("requests_total"), told("worker_restarts_total")) == (8, 1)
    assert told("worker_restarts_total", worker=str(victim["slot"])) == 1
    assert server.say().status_code == 200


@pytest.mark.parametrize(("send", "number"), [(os.kill, signal.SIGTERM), (os.killpg, signal.SIGHUP)])
def test_a_signal_to_the_parent_drains_every_worker(
    start: Callable[..., Server], send: Callable[[int, int], None], number: int
) -> None:
    """Also SIGHUP to the whole process group, as from a terminal that goes."""
    server = start(workers=2, delay_s=1.5)
    accepted = server.say_together(6)
    wait_until(lambda: server.lane()["active"] == 6)
    send(server.process.pid, number)
    assert [future.result().status_code for future in accepted] == [200] * 6
    server.process.wait(20)
    assert "Traceback" not in server.log.read_text()


def test_a_worker_that_is_told_to_end_leaves_what_is_new_to_the_others(start: Callable[..., Server]) -> None:
    """New connections, and the next request on one that it has: that is its last answer there."""
    server = start(workers=2, delay_s=1.5)
    with ExitStack() as stack:
        clients: dict[int, tuple[httpx.Client, int]] = {}  # by worker: both take connections by then
        while len(clients) < 2:
            client = stack.enter_context(httpx.Client(base_url=server.client.base_url, trust_env=False))
            worker = client.get("/api/v1/stats/concurrency").json()["worker"]
            clients[worker["slot"]] = client, worker["pid"]
        kept, victim = clients[0]
        accepted = server.say_together(6)
        wait_until(lambda: server.lane()["active"] == 6)
        os.kill(victim, signal.SIGTERM)
        wait_until(lambda: "SIGTERM: other workers take" in server.log.read_text())
        last = kept.get("/api/v1/health")
        answers = [future.result() for future in server.say_together(20)]
        while Path(f"/proc/{victim}").exists():
            answers.append(server.client.get("/api/v1/health", headers={"Connection": "close"}))
        answers += [future.result() for future in accepted]
        assert {answer.status_code for answer in answers} == {200}
        assert (last.status_code, last.headers["Connection"]) == (200, "close")
    wait_until(lambda: server.n_workers() == 2, 60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_last_worker_that_is_told_to_end_says_so(
    start: Callable[..., Server], number: signal.Signals
) -> None:
    """Each is told on its own, and the first leaves what is new to the second."""
    server = start(workers=2, delay_s=3)
    accepted = server.say_together(6)
    wait_until(lambda: server.lane()["active"] == 6)
    for worker in server.stats()["per_worker"]:
        os.kill(worker["pid"], number)
    wait_until(lambda: server.client.get("/api/v1/health").json()["status"] == "draining")
    refused = server.say()
    assert (refused.status_code, refused.json()["code"]) == (503, "draining")
    assert [future.result().status_code for future in accepted] == [200] * 6


@pytest.mark.parametrize("workers", [1, 2])
def test_nohup_outlives_its_terminal(start: Callable[..., Server], workers: int) -> None:
    server = start(workers=workers, delay_s=1, prefix=("nohup",))
    accepted = server.say_together(2)
    wait_until(lambda: server.lane()["active"] == 2)
    os.killpg(server.process.pid, signal.SIGHUP)
    assert [future.result().status_code for future in accepted] == [200, 200]
    assert server.say().status_code == 200
    assert server.n_workers() == workers


def test_a_restarted_service_begins_at_zero(start: Callable[..., Server], tmp_path: Path) -> None:
    first = start(run_dir=tmp_path / "run")
    assert first.say().status_code == 200
    first.end()
    second = start(run_dir=tmp_path / "run")
    assert second.lane()["total"] == 0


def test_a_bad_setting_is_one_line_and_exit_2(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "uvicorn", "glm_tts_api.api_server:app"],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "SHORT_TEXT_CONCURRENCY": "abc",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "SHORT_TEXT_CONCURRENCY='abc': must be a whole number from 1 to 1024" in done.stderr
    assert "Traceback" not in done.stderr
