"""A recording inside POST /v1/audio/speech: ref_audio with ref_text, as vLLM-Omni's clients send them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from glm_tts_api.contracts import Voice
from tests.api.running import Running
from tests.recordings import encoded, voice, voice_wav

PATH = "/v1/audio/speech"
RECORDING = voice_wav(2.0)
BASE64 = base64.b64encode(RECORDING).decode()
CLONE = {"input": "hello", "ref_audio": BASE64, "ref_text": "what is said"}


def post(server: Running, **fields: Any) -> httpx.Response:
    with server.client() as client:
        return client.post(PATH, json={**CLONE, **fields})


@pytest.mark.parametrize(
    "sent",
    [
        BASE64,
        f"data:audio/wav;base64,{BASE64}",
        f"data:audio/wav;codecs=1;base64,{BASE64}",
        "\n".join(BASE64[at : at + 76] for at in range(0, len(BASE64), 76)),
        RECORDING,
    ],
    ids=["base64", "data-uri", "with-a-parameter", "in-lines", "as-a-file"],
)
def test_the_recording_in_the_request_speaks(server: Running, sent: str | bytes) -> None:
    """OpenAI's package always names a voice beside it."""
    with server.client() as client:
        if isinstance(sent, bytes):
            fields = {"input": "hello", "ref_text": "what is said"}
            answer = client.post(PATH, data=fields, files={"ref_audio": ("a.wav", sent)})
        else:
            answer = client.post(PATH, json={**CLONE, "ref_audio": sent})
        assert (answer.status_code, "X-Warnings" in answer.headers) == (200, False)
        speaker = server.engine.requests[-1].voice
        assert isinstance(speaker, Voice)
        assert (speaker.digest, speaker.transcript) == (
            *(hashlib.sha256(RECORDING).hexdigest(), "what is said"),
        )
        named = client.post(PATH, json={**CLONE, "voice": "alloy"})
    assert named.headers["X-Warnings"] == "voice was ignored: ref_audio says whose voice it is."


def test_an_address_or_a_path_is_refused_and_never_opened(server: Running) -> None:
    for sent in (
        *("https://example.org/a.wav", "file:///etc/passwd", "/etc/passwd", "configs/prompts/exampleA.wav"),
        *("data:audio/wav;base64,", "data:audio/wav,abc", "no base64!", ["UklGRg=="], 7),
    ):
        error = post(server, ref_audio=sent).json()["error"]
        assert (error["code"], "as base64" in error["message"]) == ("invalid_field", True)
        assert "opens no address and no path" in error["message"]
    assert server.engine.requests == []


def test_a_recording_that_cannot_be_cloned(server: Running) -> None:
    for fields, status, said in (
        ({"ref_text": None}, 400, "ref_audio needs ref_text"),
        ({"ref_text": " "}, 400, "ref_audio needs ref_text"),
        ({"ref_text": "x" * 501}, 400, "ref_text has 501 characters"),
        ({"ref_audio": None}, 400, "ref_text needs ref_audio"),
        ({"ref_audio": base64.b64encode(b"just text").decode()}, 415, "not an audio file"),
        ({"ref_audio": base64.b64encode(voice_wav(0.2)).decode()}, 400, "0.20 s long"),
    ):
        answer = post(server, **fields)
        assert (said in answer.json()["error"]["message"], answer.status_code) == (True, status), said
    assert server.engine.requests == []


def test_a_long_recording_fits_and_too_large_a_request_does_not(serve: Callable[..., Running]) -> None:
    """JSON without a file has 1 MB; 29 s of 48 kHz have 3.7 as base64. Text beside it has 1 MB still."""
    server = serve(max_upload_mb=4)
    long = base64.b64encode(encoded(voice(29, 48000), 48000, "WAV")).decode()
    assert post(server, ref_audio=long).status_code == 200
    assert post(server, ref_audio=long, metadata="x" * 2**20).status_code == 413
    assert post(server, metadata="x" * 2 * 2**20).status_code == 413
    assert post(server, ref_audio=long + "AAAA" * 2**18).status_code == 413
    with server.client() as client:
        assert client.post("/api/v1/tts", json={**CLONE, "ref_audio": long}).status_code == 413
