"""HEAD where GET answers, as players and link checkers ask before they fetch."""

from __future__ import annotations

import pytest

from tests.api.running import Running

SAY = {"input_text": "hello", "index": "exampleA"}


@pytest.mark.parametrize(
    "path",
    [
        *("/api/v1/health", "/api/v1/health/live", "/api/v1/prompts", "/api/v1/prompts/exampleA/audio"),
        *("/v1/models", "/v1/audio/voices", "/v1/voices", "/health", "/docs", "/openapi.json", "/"),
    ],
)
def test_its_headers_are_those_of_get(server: Running, path: str) -> None:
    with server.client() as client:
        head, whole = client.head(path), client.get(path)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("Content-Type", "ETag", "Content-Disposition"):
            assert head.headers.get(name) == whole.headers.get(name)


def test_nothing_is_spoken_for_it(server: Running) -> None:
    with server.client() as client:
        for audio_format, kind in (("mp3", "audio/mpeg"), ("wav", "audio/wav"), ("json", "application/json")):
            head = client.head("/api/v1/tts", params={**SAY, "response_format": audio_format})
            assert (head.status_code, head.headers["Content-Type"]) == (200, kind)
            assert "Content-Length" not in head.headers
        sovits = {"text": "hello", "ref_audio_path": "exampleA.wav"}
        assert client.head("/tts", params=sovits).headers["Content-Type"] == "audio/wav"
        assert client.head("/api/v1/tts", params={**SAY, "index": "nobody"}).status_code == 404
        assert client.head("/v1/audio/speech").status_code == 405
    assert server.engine.requests == []
    assert server.lane()["total"] == 0
