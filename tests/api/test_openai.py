"""OpenAI's speech API, as its own package speaks it over a real port."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
import soundfile

from glm_tts_api.engine.state import EngineState
from glm_tts_api.errors import OutOfMemory
from tests.api.running import Running
from tests.api.tone_engine import ToneEngine
from tests.recordings import seconds_of

Serve = Callable[..., Running]


def sdk(server: Running, key: str = "any", **options: Any) -> openai.OpenAI:
    http = openai.DefaultHttpxClient(trust_env=False)
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key=key, http_client=http, **options)


@pytest.fixture
def client(server: Running) -> Iterator[openai.OpenAI]:
    with sdk(server) as client:
        yield client


@pytest.mark.parametrize("audio_format", ["mp3", "opus", "aac", "flac", "wav", "pcm"])
def test_every_format(client: openai.OpenAI, audio_format: Any) -> None:
    answer = client.audio.speech.create(
        model="tts-1", voice="alloy", input="hello", response_format=audio_format
    )
    if audio_format == "pcm":
        assert answer.response.headers["content-type"] == "audio/pcm;rate=24000;channels=1"
        assert len(answer.content) == 24000
    else:
        assert seconds_of(answer.content) == pytest.approx(0.5, abs=0.03)


def test_mp3_unless_told_otherwise(client: openai.OpenAI) -> None:
    answer = client.audio.speech.create(model="glm-tts", voice="exampleB", input="hello")
    assert answer.response.headers["content-type"] == "audio/mpeg"


def test_audio_is_heard_while_it_is_made(serve: Serve) -> None:
    server = serve(ToneEngine(n_segments=3, segment_s=600))
    with (
        sdk(server) as client,
        client.audio.speech.with_streaming_response.create(
            model="tts-1", voice="nova", input="hello", response_format="pcm"
        ) as answer,
    ):
        body = answer.iter_bytes(4096)
        first = next(body)
        assert server.lane()["active"] == 1
        server.engine.release()
        assert len(first) + sum(map(len, body)) == 3 * 24000
    server.wait_for_lane(active=0, completed=1)


def test_the_asynchronous_client(server: Running) -> None:
    async def speak() -> bytes:
        http = openai.DefaultAsyncHttpxClient(trust_env=False)
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", http_client=http) as client:
            answer = await client.audio.speech.create(model="tts-1", voice="ash", input="hello")
            return answer.content

    assert seconds_of(asyncio.run(speak())) == pytest.approx(0.5, abs=0.03)


def events(body: bytes) -> list[dict[str, Any]]:
    lines = body.decode().split("\n\n")
    assert all(line.startswith("data: ") for line in lines if line)
    return [json.loads(line.removeprefix("data: ")) for line in lines if line]


def test_events_carry_the_audio_and_end_with_done(client: openai.OpenAI) -> None:
    answer = client.audio.speech.create(
        model="tts-1", voice="alloy", input="hello", response_format="pcm", stream_format="sse"
    )
    assert answer.response.headers["cache-control"] == "no-cache"
    *deltas, done = events(answer.content)
    assert {event["type"] for event in deltas} == {"speech.audio.delta"}
    assert done["type"] == "speech.audio.done"
    assert sum(len(base64.b64decode(event["audio"])) for event in deltas) == 24000


def test_an_error_after_the_first_event_is_an_event(serve: Serve) -> None:
    server = serve(ToneEngine(n_segments=2, segment_s=600), short_text_timeout=5)
    with sdk(server, max_retries=0) as client:
        answer = client.audio.speech.create(
            model="tts-1", voice="alloy", input="hello", response_format="pcm", stream_format="sse"
        )
    assert events(answer.content)[-1]["type"] == "error"
    assert events(answer.content)[-1]["error"]["code"] == "deadline_passed"
    server.wait_for_lane(timed_out=1)


def test_null_is_as_if_it_were_not_sent_and_unknown_fields_are_ignored(server: Running) -> None:
    body = {
        "model": None,
        "input": "hello",
        "voice": {"id": "exampleA"},
        "instructions": None,
        "response_format": None,
        "speed": None,
        "stream": True,
        "lang_code": "z",
    }
    with server.client() as client:
        answer = client.post("/v1/audio/speech", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "audio/mpeg"


def test_speed(client: openai.OpenAI) -> None:
    answer = client.audio.speech.create(
        model="tts-1", voice="alloy", input="hello", response_format="wav", speed=2.0
    )
    samples, rate = soundfile.read(io.BytesIO(answer.content))
    assert len(samples) / rate == pytest.approx(0.25, rel=0.05)


def test_what_cannot_be_said_is_a_bad_request(client: openai.OpenAI) -> None:
    for options in ({"voice": "nobody"}, {"input": " "}, {"speed": 9.0}, {"response_format": "mp4"}):
        wanted: dict[str, Any] = {"model": "tts-1", "voice": "alloy", "input": "hello", **options}
        with pytest.raises(openai.BadRequestError) as refused:
            client.audio.speech.create(**wanted)
        assert refused.value.body["message"]  # type: ignore[index]


def test_a_full_line_is_429_with_retry_after(serve: Serve) -> None:
    server = serve(ToneEngine(delay_s=600), short_text_concurrency=1, queue_max_size=0)
    with ThreadPoolExecutor(1) as pool, sdk(server, max_retries=0) as client:
        holder = pool.submit(server.say)
        server.wait_for_lane(active=1)
        with pytest.raises(openai.RateLimitError) as refused:
            client.audio.speech.create(model="tts-1", voice="alloy", input="hello")
        server.engine.release()
        assert holder.result().status_code == 200
    assert int(refused.value.response.headers["retry-after"]) > 0


def test_work_that_was_begun_is_not_asked_for_again(serve: Serve) -> None:
    """The SDK tries a 408, a 500 and a 503 again unless it is told not to."""
    server = serve(ToneEngine(delay_s=30), short_text_timeout=0.3)
    with sdk(server) as client:
        with pytest.raises(openai.APIStatusError) as refused:
            client.audio.speech.create(model="tts-1", voice="alloy", input="hello")
        assert refused.value.status_code == 408
        server.wait_for_lane(timed_out=1, total=1)
        server.engine.fault = RuntimeError("broken")
        with pytest.raises(openai.InternalServerError):
            client.audio.speech.create(model="tts-1", voice="alloy", input="hello")
        server.engine.fault = OutOfMemory("The GPU has no memory left for this text")
        with pytest.raises(openai.InternalServerError):
            client.audio.speech.create(model="tts-1", voice="alloy", input="hello")
    assert server.lane()["total"] == 3


def test_a_server_that_loads_is_503_with_retry_after(serve: Serve) -> None:
    server = serve(ToneEngine(state=EngineState("loading")))
    with sdk(server, max_retries=0) as client, pytest.raises(openai.InternalServerError) as refused:
        client.audio.speech.create(model="tts-1", voice="alloy", input="hello")
    assert refused.value.status_code == 503
    assert refused.value.response.headers["retry-after"]


def test_keys_guard_speech_and_not_the_lists(serve: Serve) -> None:
    server = serve(api_keys="s3cret")
    with sdk(server, key="wrong") as client:
        assert [model.id for model in client.models.list()] == ["glm-tts"]
        with pytest.raises(openai.AuthenticationError):
            client.audio.speech.create(model="tts-1", voice="alloy", input="hello")
    with sdk(server, key="s3cret") as client:
        assert client.audio.speech.create(model="tts-1", voice="alloy", input="hello").content


def test_models_and_voices_as_clients_ask_for_them(server: Running) -> None:
    with server.client() as client:
        assert client.get("/v1/audio/voices").json() == {
            "voices": [{"id": "exampleA", "name": "exampleA"}, {"id": "exampleB", "name": "exampleB"}]
        }
        assert client.get("/v1/audio/voices?legacy=true").json() == {"voices": ["exampleA", "exampleB"]}
        assert client.get("/v1/audio/models").json()["models"][0]["id"] == "glm-tts"
        model = client.get("/v1/models/anything").json()
        assert (model["id"], model["voices"]) == ("anything", [{"name": "exampleA"}, {"name": "exampleB"}])
        assert client.get("/v1/models/zai-org/GLM-TTS").json()["id"] == "zai-org/GLM-TTS"
        broken = client.get("/v1/models/a%0Ab")
        assert broken.status_code == 404
        assert "did you mean" not in broken.text
        missing = client.get("/v1/nothing")
        assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")


def test_probes_find_what_tells_them_where_the_voices_are(serve: Serve) -> None:
    """wyoming_openai asks in this order, without a key, and takes the first that answers for its server."""
    with serve(api_keys="s3cret").client() as client:
        assert client.get("/v1/readyz").status_code == 404
        answer = client.get("/health")
        assert (answer.status_code, answer.text) == (200, "OK")
    with serve(ToneEngine(state=EngineState("loading"))).client() as client:
        assert client.get("/health").status_code == 503


def test_a_name_is_the_voice_that_the_setting_gives_it_and_the_other_names_stay(serve: Serve) -> None:
    server = serve(voice_aliases="alloy=exampleB,me=exampleB")
    with sdk(server) as client:
        for name in ("alloy", "me", "echo", "tongtong", "exampleA"):
            assert client.audio.speech.create(model="tts-1", voice=name, input="hello").content
        with pytest.raises(openai.BadRequestError, match="no voice 'you'"):
            client.audio.speech.create(model="tts-1", voice="you", input="hello")
    spoke = [getattr(asked.voice, "name", None) for asked in server.engine.requests]
    assert spoke == ["exampleB", "exampleB", "exampleA", "exampleA", "exampleA"]


def test_twenty_clients_on_four_places_all_speak(serve: Serve) -> None:
    """By the package's own two retries, at the times that the server gave them."""
    server = serve(ToneEngine(delay_s=0.3), short_text_concurrency=4, queue_max_size=2)
    assert server.say().status_code == 200  # the pace is known
    with sdk(server) as client, ThreadPoolExecutor(20) as pool:

        def speak(_: int) -> bytes:
            return client.audio.speech.create(model="tts-1", voice="alloy", input="hello").content

        assert all(pool.map(speak, range(20)))
    lane = server.lane()
    assert lane["completed"] == 21
    assert lane["rejected"] > 0
