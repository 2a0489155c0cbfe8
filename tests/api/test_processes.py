"""The server as a process: signals, draining, several engines, what is left behind."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest

from tests.api.raw_client import connected
from tests.api.running import Running
from tests.api.server_process import Server
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until
from tests.recordings import encoded, voice
from tests.scraping import Scrape


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_lets_accepted_requests_end_and_refuses_new_ones(
    start: Callable[..., Server], number: signal.Signals
) -> None:
    server = start(delay_s=600, short_text_concurrency=1)
    accepted = server.say_together(2)
    wait_until(lambda: server.lane()["waiting"] == 1)
    server.process.send_signal(number)
    wait_until(lambda: server.client.get("/api/v1/health").json()["status"] == "draining")
    refused = server.say()
    assert (refused.status_code, refused.json()["code"]) == (503, "draining")
    assert refused.headers["Retry-After"]
    assert refused.headers["Connection"] == "close"
    assert server.client.get("/api/v1/health/live").status_code == 200
    server.release()
    assert [future.result().status_code for future in accepted] == [200, 200]
    server.process.wait(20)
    assert "Traceback" not in server.log.read_text()


def test_what_is_not_done_or_uploaded_in_time_is_answered_503(start: Callable[..., Server]) -> None:
    server = start(delay_s=60, short_text_concurrency=1, drain_timeout=1)
    accepted = server.say_together(3)
    wait_until(lambda: server.lane()["waiting"] == 2)
    with connected(server.port) as uploading:
        head = b"POST /api/v1/tts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        uploading.sendall(head + b"Content-Length: 99\r\n\r\n{")
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        answers = [future.result() for future in accepted]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(503, "draining")] * 3
        assert b"503" in uploading.recv(1000)
        server.process.wait(20)
    assert "Traceback" not in server.log.read_text()


def test_a_further_sigterm_changes_nothing(start: Callable[..., Server]) -> None:
    """As where someone ends the server and a script, or a supervisor, then stops it."""
    server = start(delay_s=600)
    accepted = server.say_together(2)
    wait_until(lambda: server.lane()["active"] == 2)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGTERM):
        server.process.send_signal(number)
        time.sleep(0.3)
    server.release()
    assert [future.result().status_code for future in accepted] == [200, 200]
    server.process.wait(20)


@pytest.mark.parametrize("numbers", [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGQUIT)])
def test_ctrl_c_twice_or_sigquit_ends_at_once(start: Callable[..., Server], numbers: tuple[int, ...]) -> None:
    """Also in the background of a shell, which ignores SIGQUIT."""
    server = start(delay_s=60, prefix=("env", "--ignore-signal=QUIT"))
    accepted = server.say_together(2)
    wait_until(lambda: server.lane()["active"] == 2)
    for number in numbers:
        server.process.send_signal(number)
        time.sleep(0.3)
    answers = [future.result() for future in accepted]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(503, "draining")] * 2
    server.process.wait(20)
    assert "Traceback" not in server.log.read_text()


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


def test_two_engines_count_as_one_service(serve: Callable[..., Running]) -> None:
    server = serve(ToneEngine(delay_s=0.05), ToneEngine(delay_s=0.05), short_text_concurrency=2)
    with ThreadPoolExecutor(12) as pool:
        answers = [pool.submit(server.say) for _ in range(12)]
        assert {answer.result().status_code for answer in answers} == {200}
    server.wait_for_lane(active=0)
    with server.client() as client:
        body = client.get("/api/v1/stats/concurrency").json()
        told = Scrape(client.get("/metrics").text)
    lane = body["stats"]["short_text"]
    assert (lane["total"], lane["completed"], lane["limit"], lane["available"]) == (12, 12, 4, 4)
    assert [worker["slot"] for worker in body["per_worker"]] == [0, 1]
    shares = [worker["short_text"]["total"] for worker in body["per_worker"]]
    assert sum(shares) == 12
    assert min(shares) >= 2  # each has two places
    assert told("requests_total", outcome="completed") == 12
    for number in (0, 1):
        assert told("requests_total", worker=str(number)) == shares[number]
        assert told("worker_ready", worker=str(number)) == 1
    assert body["config"]["workers"] == 2
    assert body["config"]["concurrency"]["short_text"] == 2
