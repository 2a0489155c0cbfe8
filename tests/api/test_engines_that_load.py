"""Engines that load, die and come back beside others: whoever asks hears of it only while none can speak."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from glm_tts_api.engine.state import EngineState
from tests.api.running import Running
from tests.api.server_process import Server
from tests.api.tone_engine import READY, ToneEngine
from tests.api.waiting import wait_until

N_CLIENTS = 3
Serve = Callable[..., Running]
LOADING = EngineState("loading")


@contextmanager
def asking(server: Running) -> Iterator[Counter[str]]:
    """Clients that ask for speech all the time; what they get, by its code."""
    answers: Counter[str] = Counter()
    done = threading.Event()

    def ask() -> None:
        while not done.wait(0.02):
            answers[server.say().json().get("code", "spoken")] += 1

    with ThreadPoolExecutor(N_CLIENTS) as pool:
        clients = [pool.submit(ask) for _ in range(N_CLIENTS)]
        try:
            yield answers
        finally:
            done.set()
    for client in clients:
        client.result()


def health(server: Running) -> tuple[int, str]:
    with server.client() as client:
        answer = client.get("/api/v1/health")
    return answer.status_code, answer.json()["status"]


def statuses(server: Running) -> list[str]:
    with server.client() as client:
        workers = client.get("/api/v1/stats/concurrency").json()["per_worker"]
    return [worker["status"] for worker in workers]


def test_a_server_is_loading_until_the_first_of_its_engines_can_speak(serve: Serve) -> None:
    first, second = ToneEngine(state=LOADING), ToneEngine(state=LOADING)
    server = serve(first, second)
    assert (health(server), server.say().json()["code"]) == ((503, "loading"), "loading")
    second.enter(READY)
    wait_until(lambda: health(server) == (200, "healthy"))
    assert statuses(server) == ["loading", "ready"]
    with asking(server) as answers:
        wait_until(lambda: answers["spoken"] > 5)
        assert first.n_spoken == 0
        first.enter(READY)
        wait_until(lambda: first.n_spoken > 0)
    assert set(answers) == {"spoken"}


def test_a_stop_does_not_wait_for_engines_that_load(start: Callable[..., Server]) -> None:
    server = start(workers=2, load_s=(60, 60))
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(20)
    assert time.monotonic() - began < 30
    assert "Traceback" not in server.log.read_text()
