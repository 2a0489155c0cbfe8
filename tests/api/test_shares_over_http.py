"""One server, several clients: told apart by their addresses and keys, each has its share."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from tests.api.running import Running
from tests.api.tone_engine import READY, ToneEngine
from tests.api.waiting import lines_of

Serve = Callable[..., Running]


class Crowd:
    """Clients behind a trusted proxy on this machine; each request is named by its text."""

    def __init__(self, server: Running) -> None:
        self._server = server
        self._pool = ThreadPoolExecutor(32)

    def ask(self, address: str, text: str) -> Future[httpx.Response]:
        return self._pool.submit(self._server.say, text, {"X-Forwarded-For": address})


def begun(server: Running) -> list[str]:
    return [asked.text for asked in server.engine.requests]


def test_another_clients_request_is_spoken_next_whatever_one_client_has_waiting(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "glm_tts_api.request")
    server = serve(ToneEngine(delay_s=30), short_text_concurrency=1, drain_timeout=0)
    crowd = Crowd(server)
    answers = [crowd.ask("192.0.2.1", "first")]
    server.wait_for_lane(active=1)
    answers += [crowd.ask("192.0.2.1", f"many {number}") for number in range(20)]
    server.wait_for_lane(waiting=20)
    answers.append(crowd.ask("2001:db8::1", "single"))
    server.wait_for_lane(waiting=21)
    assert [each["place"] for each in server.figures()["active"]] == [None, *range(2, 22), 1]
    server.engine.delay_s = 0
    server.engine.die()
    server.engine.enter(READY)
    assert {answer.result().status_code for answer in answers} == {200}
    assert begun(server)[:3] == ["first", "first", "single"]
    lines = lines_of(caplog, "glm_tts_api.request", 22)
    assert sum("client=192.0.2.1 outcome=completed" in line for line in lines) == 21
    assert sum("client=2001:db8::/64 outcome=completed" in line for line in lines) == 1
