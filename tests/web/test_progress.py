"""How far a long text has come: a line a segment in the log, the requests being spoken in the figures."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from running import Running
from tone_engine import ToneEngine
from waiting import wait_until

Serve = Callable[..., Running]
LONG = "a secret " * 40


def figures(server: Running) -> dict[str, Any]:
    with server.client() as client:
        body: dict[str, Any] = client.get("/api/v1/stats/concurrency").json()
    return body


def say(server: Running, text: str, request_id: str) -> httpx.Response:
    with server.client(headers={"X-Request-Id": request_id}) as client:
        return client.post("/api/v1/tts", data={"input_text": text, "index": "exampleA"})


def test_a_line_a_segment_without_the_text(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    server = serve(ToneEngine(n_segments=3))
    with caplog.at_level(logging.INFO):
        assert server.say(LONG).json()["segments"] == 3
    lines = [record.getMessage() for record in caplog.records if record.name == "glm_tts_api.progress"]
    assert lines == [
        "segment 1 of 3 spoken, 0.5 s of audio so far",
        "segment 2 of 3 spoken, 1.0 s of audio so far",
        "segment 3 of 3 spoken, 1.5 s of audio so far",
    ]
    assert not any("secret" in record.getMessage() for record in caplog.records)


def test_one_segment_needs_no_line_of_its_own(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        server.say()
    assert [record for record in caplog.records if record.name == "glm_tts_api.progress"] == []


def test_the_requests_being_spoken_and_how_far_they_are(serve: Serve) -> None:
    engine = ToneEngine(n_segments=3, segment_s=0.6)
    server = serve(engine, long_text_concurrency=1)
    assert figures(server)["active"] == []
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(say, server, LONG, "first")
        wait_until(lambda: len(figures(server)["active"]) == 1)
        waits = pool.submit(say, server, LONG, "waits")
        short = pool.submit(say, server, "hello", "short")
        seen: list[dict[str, Any]] = []
        while not first.done():
            seen += figures(server)["active"]
        assert [answer.result().status_code for answer in (first, waits, short)] == [200] * 3
    long_ones = [request for request in seen if request["request_id"] == "first"]
    assert {(one["lane"], one["characters"], one["segments"]) for one in long_ones} >= {
        ("long_text", len(LONG), 3)
    }
    steps = [(one["segments_done"], one["audio_seconds"]) for one in long_ones]
    assert {(1, 0.5), (2, 1.0)} <= set(steps)
    assert steps == sorted(steps)
    ages = [one["age_seconds"] for one in long_ones]
    assert ages == sorted(ages)
    assert ages[-1] > 1
    assert {one["lane"] for one in seen if one["request_id"] == "short"} == {"short_text"}
    assert not any(one["request_id"] == "waits" for one in seen[: seen.index(long_ones[-1])])
    assert "secret" not in str(seen)
    wait_until(lambda: figures(server)["active"] == [])


def test_a_request_that_ends_badly_is_no_longer_listed(serve: Serve) -> None:
    server = serve(ToneEngine(delay_s=30), short_text_timeout=0.3)
    assert server.say().status_code == 408
    assert figures(server)["active"] == []


def test_the_list_says_whose_it_is(server: Running) -> None:
    body = figures(server)
    (worker,) = body["per_worker"]
    assert body["worker"] == {"slot": worker["slot"], "pid": worker["pid"]}
