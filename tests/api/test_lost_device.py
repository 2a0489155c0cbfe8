"""Engines that die, in a real server with tiny models: the error of a GPU is raised by a step without one.

Whoever runs requests hears nothing of it, unless it is their own text that takes engines down.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.api.server_process import Server
from tests.api.waiting import wait_until

LONG = "/".join(["abcdefgh"] * 12)  # some twenty seconds, as the engine takes its time
LOST = "the device failed: AcceleratorError: CUDA error: an illegal memory access was encountered"
Start = Callable[..., Server]


def health(server: Server) -> httpx.Response:
    return server.client.get("/api/v1/health")


def sound(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.json()["audio_base64"])


def test_a_text_that_loses_the_device_is_500_and_the_others_are_spoken_as_if_nothing_had_been(
    with_engines: Start,
) -> None:
    server = with_engines(workers=2, short_text_timeout=600, medium_text_timeout=600)
    undisturbed = sound(server.say(LONG))
    with ThreadPoolExecutor(2) as pool:
        at_work = [pool.submit(server.say, LONG) for _ in range(2)]
        wait_until(lambda: server.lane()["active"] == 2)
        failed = server.say("ab~")
        assert (failed.status_code, failed.json()["code"]) == (500, "fatal_text")
        assert "engines died while they spoke this text" in failed.json()["message"]
        assert {sound(answer.result()) for answer in at_work} == {undisturbed}
    server.wait_until_all_speak(120)
    told = server.scrape()
    n_deaths = told("engine_restarts_total")  # one more if another was under suspicion before it
    assert n_deaths in (3, 4)
    assert told("worker_restarts_total") == n_deaths
    assert told("requests_resumed_total") >= 2
    assert told("requests_total", outcome="fatal_text") == 1
    assert sum(worker["restarts"] for worker in server.stats()["per_worker"]) == n_deaths
    assert f"begins again: {LOST}" in server.log.read_text()


def test_while_the_only_engine_begins_again_health_is_loading_and_what_comes_waits(
    with_engines: Start,
) -> None:
    server = with_engines(short_text_timeout=600)
    undisturbed = sound(server.say("abcd"))
    (worker,) = server.stats()["per_worker"]
    os.kill(worker["pid"], signal.SIGKILL)
    wait_until(lambda: health(server).status_code == 503)
    begins = health(server)
    assert (begins.json()["status"], begins.json()["model_loaded"]) == ("loading", False)
    assert begins.json()["cause"].startswith("its process")
    assert int(begins.headers["Retry-After"]) > 0
    assert server.client.get("/api/v1/health/live").status_code == 200
    with ThreadPoolExecutor(3) as pool:
        came = [pool.submit(server.say, "abcd") for _ in range(3)]
        assert {sound(answer.result()) for answer in came} == {undisturbed}
    (after,) = server.stats()["per_worker"]
    assert after["pid"] != worker["pid"]
    assert (after["status"], after["restarts"]) == ("ready", 1)
    assert health(server).json()["status"] == "healthy"


def test_on_a_cpu_the_same_fault_ends_the_engine_at_the_third_time_unless_something_worked_between(
    with_engines: Start,
) -> None:
    """Each is answered, and the last is not said again: it had its answer."""
    server = with_engines()
    for text, status in (("a^", 500), ("a^", 500), ("ab", 200), ("a^", 500), ("a^", 500)):
        assert server.say(text).status_code == status
    assert health(server).json()["status"] == "healthy"
    assert server.scrape()("engine_restarts_total") == 0
    assert server.say("a^").status_code == 500
    wait_until(lambda: server.scrape()("engine_restarts_total") == 1)
    assert "begins again: the same fault 3 times: RuntimeError: unreadable" in server.log.read_text()
    assert server.say("ab").status_code == 200
