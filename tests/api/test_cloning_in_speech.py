"""A recording inside POST /v1/audio/speech: ref_audio with ref_text, as vLLM-Omni's clients send them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest

from glm_tts_api.contracts import Voice
from tests.api.running import Running
from tests.recordings import encoded, seconds_of, voice, voice_wav

Serve = Callable[..., Running]
PATH = "/v1/audio/speech"
RECORDING = voice_wav(2.0)
BASE64 = base64.b64encode(RECORDING).decode()
CLONE = {"input": "hello", "ref_audio": BASE64, "ref_text": "what is said"}


def post(server: Running, **fields: Any) -> httpx.Response:
    with server.client() as client:
        return client.post(PATH, json={**CLONE, **fields})


def spoken_by(server: Running) -> tuple[str, str]:
    """Digest and transcript of the voice that spoke last."""
    speaker = server.engine.requests[-1].voice
    assert isinstance(speaker, Voice)
    return speaker.digest, speaker.transcript


@pytest.mark.parametrize(
    "sent",
    [
        BASE64,
        f"data:audio/wav;base64,{BASE64}",
        f"data:audio/wav;codecs=1;base64,{BASE64}",
        "\n".join(BASE64[at : at + 76] for at in range(0, len(BASE64), 76)),
    ],
    ids=["base64", "data-uri", "with-a-parameter", "in-lines"],
)
def test_the_recording_in_the_request_speaks(server: Running, sent: str) -> None:
    answer = post(server, ref_audio=sent)
    assert answer.status_code == 200, answer.text
    assert seconds_of(answer.content) == pytest.approx(0.5, abs=0.03)
    assert "X-Warnings" not in answer.headers
    assert spoken_by(server) == (hashlib.sha256(RECORDING).hexdigest(), "what is said")


def test_openais_package_names_a_voice_beside_it(server: Running) -> None:
    http = openai.DefaultHttpxClient(trust_env=False)
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", http_client=http) as client:
        answer = client.audio.speech.create(
            model="glm-tts",
            voice="alloy",
            input="hello",
            extra_body={"ref_audio": BASE64, "ref_text": "what is said"},
        )
    assert answer.response.headers["x-warnings"] == "voice was ignored: ref_audio says whose voice it is."
    assert spoken_by(server)[1] == "what is said"


def test_a_form_brings_it_as_a_file(server: Running) -> None:
    fields = {"input": "hello", "ref_text": "what is said"}
    with server.client() as client:
        answer = client.post(PATH, data=fields, files={"ref_audio": ("a.wav", RECORDING)})
        named = client.post(PATH, files={name: (None, value) for name, value in CLONE.items()})
    assert (answer.status_code, named.status_code) == (200, 200)
    assert spoken_by(server) == (hashlib.sha256(RECORDING).hexdigest(), "what is said")


@pytest.mark.parametrize(
    "sent",
    [
        "https://example.org/a.wav",
        "file:///etc/passwd",
        "/etc/passwd",
        "configs/prompts/exampleA.wav",
        "data:audio/wav;base64,",
        "data:audio/wav,abc",
        "no base64!",
        ["UklGRg=="],
        7,
    ],
)
def test_an_address_or_a_path_is_refused_and_never_opened(server: Running, sent: Any) -> None:
    answer = post(server, ref_audio=sent)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "invalid_field"
    assert "as base64" in error["message"]
    assert "opens no address and no path" in error["message"]
    assert server.engine.requests == []


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"ref_text": None}, 400, "ref_audio needs ref_text"),
        ({"ref_text": " "}, 400, "ref_audio needs ref_text"),
        ({"ref_text": "x" * 501}, 400, "ref_text has 501 characters"),
        ({"ref_audio": None}, 400, "ref_text needs ref_audio"),
        ({"ref_audio": base64.b64encode(b"just text").decode()}, 415, "audio"),
        ({"ref_audio": base64.b64encode(voice_wav(0.2)).decode()}, 400, "s"),
    ],
)
def test_a_recording_that_cannot_be_cloned(
    server: Running, fields: dict[str, Any], status: int, said: str
) -> None:
    answer = post(server, **fields)
    assert answer.status_code == status
    assert said in answer.json()["error"]["message"]
    assert server.engine.requests == []


def test_a_long_recording_fits_and_too_large_a_request_does_not(serve: Serve) -> None:
    """JSON without a file has 1 MB; 29 s of 48 kHz have 3.7 as base64. Text beside it has 1 MB still."""
    server = serve(max_upload_mb=4)
    long = base64.b64encode(encoded(voice(29, 48000), 48000, "WAV")).decode()
    assert post(server, ref_audio=long).status_code == 200
    assert post(server, ref_audio=long, metadata="x" * 2**20).status_code == 413
    assert post(server, metadata="x" * 2 * 2**20).status_code == 413
    assert post(server, ref_audio=long + "AAAA" * 2**18).status_code == 413
    with server.client() as client:
        assert client.post("/api/v1/tts", json={**CLONE, "ref_audio": long}).status_code == 413


def test_stream_false_is_answered_whole(server: Running) -> None:
    answer = post(server, stream=False, response_format="wav")
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert answer.headers["X-Audio-Seconds"] == "0.500"
    assert not server.engine.requests[-1].streams
    both = post(server, stream=False, stream_format="sse")
    assert both.status_code == 400
    assert "stream=false" in both.json()["error"]["message"]


def test_a_voice_is_registered_with_ref_text(server: Running) -> None:
    """vLLM-Omni's documented form."""
    fields = {"name": "mine", "consent": "x", "ref_text": "what is said", "speaker_description": "calm"}
    with server.client() as client:
        answer = client.post("/v1/audio/voices", data=fields, files={"audio_sample": ("a.wav", RECORDING)})
        assert answer.status_code == 200, answer.text
        shown = client.get("/api/v1/prompts/mine").json()["prompt"]
    assert shown["prompt_text"] == "what is said"
    assert answer.json()["warnings"] == ["'speaker_description' is not a field here and was ignored."]
