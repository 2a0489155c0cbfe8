"""A worker that loads takes no connection while another can speak; while none can, one says so."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx

from tests.api.raw_client import ask_for_speech, connected, read_answer
from tests.api.server_process import Server
from tests.api.waiting import wait_until

N_CLIENTS = 3
Start = Callable[..., Server]


@dataclass
class Answers:
    """What clients got that asked every 50 ms: statuses as they came, 0 where the connection broke."""

    statuses: list[int] = field(default_factory=list)
    codes: set[str] = field(default_factory=set)


@contextmanager
def asking_every_50_ms(server: Server) -> Iterator[Answers]:
    answers, done = Answers(), threading.Event()

    def ask() -> None:
        while not done.wait(0.05):
            try:
                with connected(server.port) as client:
                    ask_for_speech(client)
                    status, body = read_answer(client)
            except (OSError, AssertionError):
                answers.statuses.append(0)
            else:
                answers.statuses.append(status)
                if status != 200:
                    answers.codes.add(json.loads(body)["code"])

    with ThreadPoolExecutor(N_CLIENTS) as pool:
        clients = [pool.submit(ask) for _ in range(N_CLIENTS)]
        try:
            yield answers
        finally:
            done.set()
    for client in clients:
        client.result()


def workers(server: Server) -> dict[int, tuple[int, bool]]:
    """Each slot's process and whether it is ready."""
    return {each["slot"]: (each["pid"], each["ready"]) for each in server.stats()["per_worker"]}


def statuses(server: Server) -> dict[int, str]:
    return {each["slot"]: each["status"] for each in server.stats()["per_worker"]}


def all_ready(server: Server) -> bool:
    """False also if the connection that is kept for asking was the killed worker's."""
    try:
        return [ready for _, ready in workers(server).values()] == [True, True]
    except httpx.TransportError:
        return False


def pids(server: Server) -> set[int]:
    return {pid for pid, _ in workers(server).values()}


def test_a_killed_worker_s_successor_takes_no_connection_before_it_can_speak(start: Start) -> None:
    server = start(workers=2, load_s=(1.5, 1.5))
    wait_until(lambda: all_ready(server))
    for slot in (0, 1):
        pid, _ = workers(server)[slot]
        with asking_every_50_ms(server) as answers:
            time.sleep(0.5)
            os.kill(pid, signal.SIGKILL)
            wait_until(partial(has_replaced, server, pid))
            time.sleep(0.5)
        assert answers.codes == set()
        assert answers.statuses.count(0) <= N_CLIENTS  # what the killed worker had taken
        assert answers.statuses.count(200) > 10


def test_workers_that_start_together_are_loading_until_all_that_is_heard_can_speak(start: Start) -> None:
    """The one that says it is loading takes the longest: the other is ready, and waits for it."""
    server = start(workers=2, load_s=(3, 1))
    with asking_every_50_ms(server) as answers:
        health = server.client.get("/api/v1/health")
        assert (health.status_code, health.json()["status"]) == (503, "loading")
        wait_until(lambda: all_ready(server))
        time.sleep(1.5)
    assert answers.codes == {"loading"}
    first_200 = answers.statuses.index(200)
    assert 503 not in answers.statuses[first_200 + N_CLIENTS :]  # but for those that were on their way


def test_when_the_one_that_says_it_is_loading_is_killed_another_does(start: Start) -> None:
    server = start(workers=2, load_s=(60, 60))
    for _ in range(2):
        spokesman = server.stats()["worker"]["pid"]
        os.kill(spokesman, signal.SIGKILL)
        wait_until(lambda: says_loading(server), 20)
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(20)


def has_replaced(server: Server, pid: int) -> bool:
    return all_ready(server) and pid not in pids(server)


def says_loading(server: Server) -> bool:
    try:
        return bool(server.client.get("/api/v1/health").json()["status"] == "loading")
    except httpx.TransportError:
        return False


def test_a_successor_that_cannot_load_disturbs_nobody(start: Start) -> None:
    server = start(workers=2, load_s=(0.5, 0.5))
    wait_until(lambda: all_ready(server))
    (server.root / "weights-are-gone").touch()
    pid, _ = workers(server)[1]
    with asking_every_50_ms(server) as answers:
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: "failed" in statuses(server).values(), 20)
        time.sleep(1)
    assert answers.codes == set()
    assert answers.statuses.count(0) <= N_CLIENTS
    assert statuses(server) == {0: "ready", 1: "failed"}
    other, _ = workers(server)[0]
    os.kill(other, signal.SIGKILL)  # now nobody can speak, and somebody says why
    wait_until(lambda: unhealthy(server), 20)


def unhealthy(server: Server) -> bool:
    try:
        health = server.client.get("/api/v1/health").json()
    except httpx.TransportError:
        return False
    return health["status"] == "unhealthy" and "weights are gone" in health["cause"]


def test_a_stop_does_not_wait_for_workers_that_load(start: Start) -> None:
    server = start(workers=2, load_s=(60, 60))
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(20)
    assert "Traceback" not in server.log.read_text()


def test_a_worker_that_hangs_does_not_keep_the_others_from_hearing_a_signal(start: Start) -> None:
    server = start(workers=2, drain_timeout=1, environ={"UVICORN_TIMEOUT_WORKER_HEALTHCHECK": "600"})
    hung, other = server.stats()["per_worker"]
    os.kill(hung["pid"], signal.SIGSTOP)
    time.sleep(1.5)  # by then the parent waits for it
    server.process.send_signal(signal.SIGTERM)
    command = Path(f"/proc/{other['pid']}/cmdline")
    wait_until(
        lambda: not command.exists() or not command.read_bytes()
    )  # it has ended, as a zombie or wholly
    os.kill(hung["pid"], signal.SIGCONT)
    server.process.wait(60)
