"""The right to change things: with API_KEYS each client with a key has it, else programs of this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.api.running import Running
from tests.recordings import voice_wav

Serve = Callable[..., Running]
PAGE, OTHER = "https://chat.example", "https://evil.example"
RECORDING = ("a.wav", voice_wav(2))
SAY = {"input_text": "a", "index": "exampleA"}
NEW = {"data": {"index": "mine", "prompt_text": "t"}, "files": {"prompt_audio": RECORDING}}
OPENAIS = {"data": {"name": "theirs", "prompt_text": "t"}, "files": {"audio_sample": RECORDING}}
CLONE = {"voice_name": "m", "text": "t", "input": "i", "file_id": "f"}
# Each request that changes something or shows all books, in an order that makes each possible; its status.
WRITES: list[tuple[str, str, dict[str, Any], int]] = [
    ("POST", "/api/v1/prompts", NEW, 201),
    ("PUT", "/api/v1/prompts/mine", {"json": {"prompt_text": "other"}}, 200),
    ("POST", "/api/v1/prompts/check", NEW, 200),
    ("POST", "/api/v1/prompts/import", {"files": {"archive": ("a.zip", b"none")}}, 400),
    ("DELETE", "/api/v1/prompts/mine", {}, 200),
    ("PUT", "/api/v1/lexicon/word", {"json": {"replacement": "other"}}, 200),
    ("DELETE", "/api/v1/lexicon/word", {}, 200),
    ("POST", "/api/v1/clear_cache", {}, 200),
    ("POST", "/api/v1/jobs", {"json": {**SAY, "index": "nobody"}}, 404),
    ("GET", "/api/v1/jobs", {}, 200),
    ("POST", "/v1/audio/voices", OPENAIS, 200),
    ("DELETE", "/v1/audio/voices/theirs", {}, 200),
    ("POST", "/api/paas/v4/files", {"files": {"file": RECORDING}}, 200),
    ("POST", "/api/paas/v4/voice/clone", {"json": CLONE}, 400),
    ("POST", "/api/paas/v4/voice/delete", {"json": {"voice": "nobody"}}, 400),
]
READS = ("/api/v1/prompts", "/api/v1/stats/concurrency", "/speakers", "/api/paas/v4/voice/list", "/v1/voices")
POSSIBLE, REFUSED = [status for *_, status in WRITES], [403] * len(WRITES)


def write(client: httpx.Client, **headers: str) -> list[int]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return [client.request(how, path, headers=named, **body).status_code for how, path, body, _ in WRITES]


def test_a_foreign_page_may_not_write_though_it_may_read(serve: Serve) -> None:
    for origins in ("", PAGE, "*"):
        with serve(cors_origins=origins).client() as client:
            # The second and third are other servers of this machine.
            for origin in (PAGE, "http://localhost", "http://127.0.0.1:1", "null"):
                assert write(client, Origin=origin) == REFUSED
            for site in ("cross-site", "same-site"):
                assert write(client, Sec_Fetch_Site=site) == REFUSED
            assert client.get("/api/v1/prompts").json()["count"] == 2


def test_programs_and_the_servers_own_page_may_write(client: httpx.Client) -> None:
    own = str(client.base_url).rstrip("/")
    assert client.get("/api/v1/prompts").json()["writable"]
    assert write(client) == POSSIBLE
    assert write(client, Sec_Fetch_Site="none") == POSSIBLE
    assert write(client, Sec_Fetch_Site="same-origin", Origin=own) == POSSIBLE


@pytest.mark.parametrize("trusted", ["127.0.0.1", "*"])
def test_who_comes_through_a_proxy_is_never_local_and_may_speak(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, trusted: str
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", trusted)
    server = serve()
    for name, value in (
        *(("X_Forwarded_For", told) for told in ("127.0.0.1", "203.0.113.5, 127.0.0.1", "")),
        *(("Forwarded", "for=127.0.0.1"), ("X_Real_IP", "127.0.0.1"), ("X_Forwarded_Host", "localhost")),
        ("Via", "1.1 proxy"),
    ):
        with server.client(headers={name.replace("_", "-"): value}) as client:
            assert write(client) == REFUSED
            assert client.post("/api/v1/tts", json=SAY).status_code == 200
            assert not client.get("/api/v1/prompts").json()["writable"]


def test_with_keys_everything_but_health_needs_one(serve: Serve) -> None:
    with serve(api_keys="first,second").client() as client:
        for path in ("/api/v1/health", "/api/v1/health/live", "/health", "/v1/models"):
            assert client.get(path).status_code == 200
        asked = [("POST", "/api/v1/tts"), ("GET", "/tts"), *(each[:2] for each in WRITES)]
        for method, path in (*asked, *(("GET", path) for path in READS)):
            missing = client.request(method, path)
            assert (missing.status_code, missing.headers["WWW-Authenticate"]) == (401, "Bearer"), path
            is_xi, is_openais = path == "/v1/voices", path.startswith("/v1/audio")
            wrong = client.request(method, path, headers={"xi-api-key" if is_xi else "X-API-Key": "third"})
            assert wrong.status_code == (401 if is_xi or is_openais else 403), path
        for headers in ({"Authorization": "Bearer second"}, {"X-API-Key": "first"}):
            assert client.get("/api/v1/prompts", headers=headers).status_code == 200
        assert client.get("/v1/voices", headers={"xi-api-key": "first"}).status_code == 200
        assert client.get("/api/v1/prompts", headers={b"X-API-Key": "é".encode()}).status_code == 403


def test_with_keys_a_key_is_all_it_takes(serve: Serve) -> None:
    with serve(api_keys="secret").client(headers={"X-API-Key": "secret"}) as client:
        client.headers.update({"Host": "any.example", "Origin": OTHER, "X-Forwarded-For": "203.0.113.5"})
        assert write(client) == POSSIBLE
