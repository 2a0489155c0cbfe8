"""How far a text has come: a line a segment in the log; what waits, is spoken or ended in the figures."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore
from typing import Any

import pytest

from tests.api.running import Running
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until

Serve = Callable[..., Running]
LONG = "a secret " * 40


def test_a_line_a_segment_without_the_text(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    server = serve(ToneEngine(n_segments=3, n_chunks=2))
    with caplog.at_level(logging.INFO):
        assert server.say(LONG).json()["segments"] == 3
    lines = [record.getMessage() for record in caplog.records if record.name == "glm_tts_api.progress"]
    assert lines == [
        "segment 1 of 3 spoken, 0.5 s of audio so far",
        "segment 2 of 3 spoken, 1.0 s of audio so far",
        "segment 3 of 3 spoken, 1.5 s of audio so far",
    ]
    assert not any("secret" in record.getMessage() for record in caplog.records)


def test_the_requests_being_spoken_and_how_far_they_are(serve: Serve) -> None:
    steps = Semaphore(0)
    engine = ToneEngine(n_segments=3, segment_s=600)
    engine.is_released = lambda: steps.acquire(blocking=False)  # each ends one delay
    server = serve(engine, long_text_concurrency=1)
    assert server.figures()["active"] == []
    seen: list[dict[str, Any]] = []

    def is_at(request_id: str, *step: object) -> bool:
        seen.extend(server.figures()["active"])
        own = [one for one in seen if one["request_id"] == request_id]
        return any((one["segments_done"], one["audio_seconds"], one["ends"]) == step for one in own)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(server.say, LONG, {"X-Request-Id": "first"})
        wait_until(lambda: is_at("first", 1, 0.5, [0.5]))
        steps.release()
        wait_until(lambda: is_at("first", 2, 1.0, [0.5, 1.0]))
        short = pool.submit(server.say, "hello", {"X-Request-Id": "short"})
        wait_until(lambda: is_at("short", 1, 0.5, [0.5]))
        steps.release(100)
        assert [answer.result().status_code for answer in (first, short)] == [200] * 2
    long_ones = [request for request in seen if request["request_id"] == "first"]
    kinds = {(one["lane"], one["characters"], one["segments"]) for one in long_ones}
    assert ("long_text", len(LONG), 3) in kinds
    told = [(one["segments_done"], one["audio_seconds"], one["age_seconds"]) for one in long_ones]
    assert told == sorted(told)
    assert "secret" not in str(seen)
    wait_until(lambda: server.figures()["active"] == [])


def test_the_last_requests_that_ended(serve: Serve) -> None:
    engine = ToneEngine(n_segments=2)
    server = serve(engine, short_text_timeout=3, short_text_concurrency=1)
    for n in range(8):
        server.say(headers={"X-Request-Id": f"request-{n}"})
    engine.delay_s = 30
    with ThreadPoolExecutor() as pool:
        pool.submit(server.say, "hello", {"X-Request-Id": "late"})
        wait_until(lambda: len(server.figures()["active"]) == 1)
        assert server.say(headers={"X-Request-Id": "later"}).status_code == 408
    wait_until(lambda: {one["request_id"] for one in server.figures()["recent"][-2:]} == {"late", "later"})
    body = server.figures()
    assert body["active"] == []
    recent = {request["request_id"]: request for request in body["recent"]}
    assert list(recent)[:6] == [f"request-{n}" for n in range(2, 8)]
    late, said = recent["late"], recent["request-7"]
    assert (late["outcome"], late["segments"], late["ends"]) == ("deadline_passed", None, [])
    assert (said["outcome"], said["segments"], said["ends"]) == ("completed", 2, [0.5, 1.0])
    assert 0 < recent["later"]["stages"]["queue"] <= recent["later"]["age_seconds"] + 0.1
    assert server.figures()["recent"] == body["recent"]  # they age no more
