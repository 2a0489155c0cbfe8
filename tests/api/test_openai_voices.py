"""Voices added, spoken and deleted with OpenAI's own package."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import openai
import pytest

from tests.api.running import Running
from tests.recordings import voice_wav

Serve = Callable[..., Running]
SAMPLE = ("mine.wav", voice_wav(2.0), "audio/wav")
TRANSCRIPT = {"prompt_text": "what is said"}


@pytest.fixture
def client(server: Running) -> Iterator[openai.OpenAI]:
    with sdk(server) as client:
        yield client


def sdk(server: Running, key: str = "any", **headers: str) -> openai.OpenAI:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return openai.OpenAI(
        base_url=f"{server.url}/v1",
        api_key=key,
        default_headers=named,
        http_client=openai.DefaultHttpxClient(trust_env=False),
    )


def test_a_voice_is_added_spoken_and_deleted(client: openai.OpenAI, server: Running) -> None:
    consent = client.audio.voice_consents.create(name="me", language="zh-CN", recording=SAMPLE)
    voice = client.audio.voices.create(
        name="mine", audio_sample=SAMPLE, consent=consent.id, extra_body=TRANSCRIPT
    )
    assert (voice.id, voice.name, voice.object, voice.type) == ("mine", "mine", "audio.voice", "audio_sample")
    assert 1_700_000_000 < voice.created_at <= time.time()
    answer = client.audio.speech.create(model="tts-1", voice=voice.id, input="hello")
    assert answer.content
    with server.client() as http:
        assert http.get("/api/v1/prompts/mine").json()["prompt"]["prompt_text"] == "what is said"
    assert client.audio.voices.delete("mine").deleted
    with pytest.raises(openai.NotFoundError):
        client.audio.voices.delete("mine")


def test_consents_are_answered_and_not_kept(client: openai.OpenAI) -> None:
    consent = client.audio.voice_consents.create(name="me", language="en-US", recording=SAMPLE)
    assert (consent.name, consent.language, consent.object) == ("me", "en-US", "audio.voice_consent")
    assert list(client.audio.voice_consents.list()) == []
    assert client.audio.voice_consents.delete(consent.id).deleted
    with pytest.raises(openai.NotFoundError, match="keeps none"):
        client.audio.voice_consents.retrieve(consent.id)
    with pytest.raises(openai.NotFoundError, match="keeps none"):
        client.audio.voice_consents.update(consent.id, name="you")
    with pytest.raises(openai.APIStatusError):
        client.audio.voice_consents.create(name="me", language="en-US", recording=("a.wav", b"text"))


def test_what_is_missing_or_taken_is_said_once(client: openai.OpenAI) -> None:
    """A 409 would be tried again by the SDK."""
    with pytest.raises(openai.BadRequestError, match="prompt_text is missing"):
        client.audio.voices.create(name="mine", audio_sample=SAMPLE, consent="any")
    with pytest.raises(openai.BadRequestError, match="audio_sample is missing"):
        client.post("/audio/voices", body={"name": "mine", **TRANSCRIPT}, cast_to=object)
    with pytest.raises(openai.BadRequestError, match="index must be"):
        client.audio.voices.create(name="my voice", audio_sample=SAMPLE, consent="any", extra_body=TRANSCRIPT)
    with pytest.raises(openai.BadRequestError, match="exists"):
        client.audio.voices.create(name="exampleA", audio_sample=SAMPLE, consent="any", extra_body=TRANSCRIPT)
    with pytest.raises(openai.BadRequestError, match="type must be audio_sample"):
        client.audio.voices.create(name="mine", prompt="a deep voice", type="prompt")
    with pytest.raises(openai.PermissionDeniedError):
        client.audio.voices.delete("exampleA")


def test_writing_needs_the_same_right_as_in_our_own_api(serve: Serve, server: Running) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"X_Forwarded_For": "203.0.113.5"}):
        with sdk(server, **headers) as client:
            with pytest.raises(openai.PermissionDeniedError):
                client.audio.voices.create(
                    name="mine", audio_sample=SAMPLE, consent="any", extra_body=TRANSCRIPT
                )
            with pytest.raises(openai.PermissionDeniedError):
                client.audio.voices.delete("exampleB")
    guarded = serve(api_keys="s3cret")
    with sdk(guarded, key="wrong") as client, pytest.raises(openai.AuthenticationError):
        client.audio.voices.create(name="mine", audio_sample=SAMPLE, consent="any", extra_body=TRANSCRIPT)
    with sdk(guarded, key="s3cret", Origin="https://other.example") as client:
        client.audio.voices.create(name="mine", audio_sample=SAMPLE, consent="any", extra_body=TRANSCRIPT)
