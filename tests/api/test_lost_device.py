"""A device that is lost, faked: the error of a GPU is raised by a step of a real server without one.

Who runs requests hears of it, /health says why, and the process ends for another to take its place.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from glm_tts_api.watchdog import EXIT_LOST
from tests.api.server_process import Server
from tests.api.waiting import wait_until

LONG = "/".join(["abcdefgh"] * 20)  # a minute and more, as the app takes its time
LOST = "CUDA error: an illegal memory access was encountered"


@pytest.fixture
def start(process: Callable[..., Server]) -> Callable[..., Server]:
    def begin(**options: Any) -> Server:
        server = process("tests.api.failing_app:app", **options)
        server.wait_until_all_speak()
        return server

    return begin


@contextmanager
def unfinished_upload(server: Server) -> Iterator[None]:
    """A request that the server waits for before it ends."""
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(
            b"POST /api/v1/tts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 99\r\n\r\n{"
        )
        yield


def test_a_faked_lost_device_is_500_for_those_at_work_503_with_its_cause_for_health_and_a_nonzero_exit(
    start: Callable[..., Server],
) -> None:
    server = start()
    with unfinished_upload(server), ThreadPoolExecutor(3) as pool:
        at_work = [pool.submit(server.say, LONG) for _ in range(3)]
        wait_until(lambda: server.lane()["active"] == 3)
        failed = server.say("ab~")
        for answer in [failed, *(each.result() for each in at_work)]:
            assert (answer.status_code, answer.json()["code"]) == (500, "internal")
        health = server.client.get("/api/v1/health")
        assert (health.status_code, health.json()["status"]) == (503, "unhealthy")
        assert health.json()["cause"] == f"the device failed: AcceleratorError: {LOST}"
        assert server.client.get("/api/v1/health/live").status_code == 200
        refused = server.say("ab")
        assert (refused.status_code, refused.json()["code"]) == (503, "unhealthy")
    assert server.process.wait(60) == EXIT_LOST
    log = server.log.read_text()
    assert f"Ending with exit code {EXIT_LOST}: the device failed" in log


def test_with_workers_the_one_that_lost_its_faked_device_is_started_again(
    start: Callable[..., Server],
) -> None:
    server = start(workers=2)
    before = {worker["pid"] for worker in server.stats()["per_worker"]}
    assert server.say("ab~").status_code == 500

    def replaced() -> bool:
        try:
            workers = server.stats()["per_worker"]
        except httpx.TransportError:
            return False
        pids = {worker["pid"] for worker in workers}
        return len(pids & before) == 1 and len(pids) == 2 and all(worker["ready"] for worker in workers)

    wait_until(replaced, 60)
    assert server.process.poll() is None
    assert [server.say("ab").status_code for _ in range(4)] == [200] * 4


def test_on_a_cpu_the_same_fault_ends_the_process_at_the_third_time_unless_something_worked_between(
    start: Callable[..., Server],
) -> None:
    server = start()
    for text, status in (("a^", 500), ("a^", 500), ("ab", 200), ("a^", 500), ("a^", 500)):
        assert server.say(text).status_code == status
    assert server.client.get("/api/v1/health").json()["status"] == "healthy"
    with unfinished_upload(server):
        assert server.say("a^").status_code == 500
        health = server.client.get("/api/v1/health").json()
        assert health["cause"] == "the same fault 3 times: RuntimeError: unreadable"
    assert server.process.wait(60) == EXIT_LOST
