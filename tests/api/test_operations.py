"""Health, figures, caches, keys, the API's own description and the log line."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable

import httpx
import pytest

from glm_tts_api.engine.state import EngineState
from tests.api.running import Running
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import lines_of

Serve = Callable[..., Running]


def get(server: Running, path: str, **options: object) -> httpx.Response:
    with server.client() as client:
        return client.get(path, **options)  # type: ignore[arg-type]


def test_a_prompt_cache_that_is_not_json(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    server = serve(prepare=lambda root: (root / "configs" / "prompt_cache.json").write_text("{,}") and None)
    body = get(server, "/api/v1/health").json()
    assert (body["status"], body["prompt_cache_count"]) == ("healthy", 0)
    assert "prompt_cache.json" in body["warnings"][0]
    assert "not JSON" in body["warnings"][0]
    assert str(server.root) not in body["warnings"][0]
    assert [record.getMessage() for record in caplog.records if "not JSON" in record.getMessage()] == body[
        "warnings"
    ]
    assert server.say().status_code == 404
    assert (server.root / "configs" / "prompt_cache.json").read_text() == "{,}"


def test_one_line_a_request(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="glm_tts_api.request"):
        server.say("hello")
        server.say("!!!")
        server.say("x" * 300, index="nobody")
        lines = lines_of(caplog, "glm_tts_api.request", 3)
    assert len(lines) == 3
    for key in ("queue_s", "decode_s", "vocoder_s", "encode_s", "between_s", "total_s", "rtf"):
        assert all(f"{key}=" in line for line in lines)
    assert lines[0].startswith("lane=short_text chars=5 segments=1 ")
    assert "audio_s=0.50" in lines[0]
    assert lines[2].startswith("lane=long_text chars=300 ")
    outcomes = [line.rpartition("outcome=")[2] for line in lines]
    assert outcomes == ["completed", "nothing_to_say", "unknown_voice"]


def test_a_refusal_outside_the_handlers_has_its_line(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    server = serve(api_keys="secret", max_upload_mb=1)
    with caplog.at_level(logging.INFO), server.client() as client:
        client.post("/api/v1/tts", content=b"x" * 2**21, headers={"X-Request-Id": "too-large"})
        client.get("/api/v1/prompts")
        client.get("/api/v1/health")
        lines = lines_of(caplog, "glm_tts_api.http.middleware", 2)
    assert lines == ["POST /api/v1/tts refused: 413", "GET /api/v1/prompts refused: 401"]


def test_health_tells_no_path_of_the_machine(serve: Serve) -> None:
    cause = "No '/srv/my models/ckpt/config.json' in /srv/ckpt; see https://example.org/a/b, and/or /docs"
    server = serve(ToneEngine(state=EngineState("failed", cause)))
    shown = get(server, "/api/v1/health").json()["cause"]
    assert shown == "No '…/config.json' in …/ckpt; see https://example.org/a/b, and/or /docs"


def test_a_client_that_leaves_while_it_uploads_has_cancelled(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    port = int(server.url.rpartition(":")[2])
    with caplog.at_level(logging.INFO):
        for content_type in (b"application/json", b"multipart/form-data; boundary=x"):
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(
                    b"POST /api/v1/tts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000\r\n"
                    b"Content-Type: " + content_type + b"\r\n\r\n--x\r\n"
                )
                time.sleep(0.1)  # so that the head arrives alone
        lines = lines_of(caplog, "glm_tts_api.request", 2)
    assert all(line.endswith("outcome=cancelled") for line in lines)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert server.say().status_code == 200
