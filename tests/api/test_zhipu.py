"""The speech API of Zhipu's cloud, as its own package speaks it over a real port."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import soundfile
from zai import ZhipuAiClient
from zai.core import (
    APIReachLimitError,
    APIRequestFailedError,
    APIResponseError,
    APIStatusError,
)

from tests.api.running import Running
from tests.api.tone_engine import ToneEngine
from tests.api.zhipu_client import said, samples, sdk, streamed

Serve = Callable[..., Running]
SPEECH = "/api/paas/v4/audio/speech"


@pytest.fixture
def client(server: Running) -> Iterator[ZhipuAiClient]:
    with sdk(server) as client:
        yield client


def test_pcm_unless_told_otherwise_in_the_clouds_default_voice(client: ZhipuAiClient) -> None:
    answer = said(client)
    assert len(samples(answer.content)) == 12000
    assert answer.response.headers["content-type"] == "audio/pcm;rate=24000;channels=1"


def test_what_is_not_told_is_as_the_cloud_has_it(server: Running) -> None:
    """Volume and speed 1, PCM; its package tells all of them itself."""
    fields = {"model": "glm-tts", "input": "hello"}
    told = {"volume": 1.0, "speed": 1.0, "response_format": "pcm"}
    with server.client() as http:
        assert http.post(SPEECH, json=fields).content == http.post(SPEECH, json=fields | told).content


def test_the_voice_of_the_clouds_guide_speaks(client: ZhipuAiClient) -> None:
    """Its example is what people paste."""
    assert len(samples(said(client, voice="female").content)) == 12000


def test_wav(client: ZhipuAiClient) -> None:
    answer = said(client, voice="chuichui", response_format="wav")
    heard, rate = soundfile.read(io.BytesIO(answer.content))
    assert (len(heard), rate) == (12000, 24000)


@pytest.mark.parametrize("encode_format", ["base64", "hex", None])
def test_events_carry_the_audio_while_it_is_made(serve: Serve, encode_format: str | None) -> None:
    server = serve(ToneEngine(n_segments=3, segment_s=600))
    with sdk(server) as client:
        events = streamed(client, encode_format=encode_format)
        first = next(events)
        assert server.lane()["active"] == 1
        server.engine.release()
        *pieces, last = [first, *events]
    decode = bytes.fromhex if encode_format == "hex" else base64.b64decode
    audio = [decode(event.choices[0].delta.content) for event in pieces]
    assert len(b"".join(audio)) == 3 * 24000
    assert [event.choices[0].index for event in (*pieces, last)] == list(range(len(pieces) + 1))
    assert (last.choices[0].finish_reason, last.choices[0].delta.content) == ("stop", None)


def test_an_events_fields(server: Running) -> None:
    with server.client() as http:
        body = http.post(SPEECH, json={"model": "cogtts", "input": "hello", "stream": True}).text
    first, *_, done, nothing = body.split("\n\n")
    assert first.startswith('data: {"id": ')
    assert '"model": "cogtts"' in first
    assert '"return_sample_rate": 24000, "return_format": "pcm"' in first
    assert (done, nothing) == ("data: [DONE]", "")


def test_speed_and_volume(client: ZhipuAiClient) -> None:
    plain = samples(said(client).content)
    fast = samples(said(client, speed=2.0).content)
    assert len(fast) == pytest.approx(6000, rel=0.05)
    quiet = samples(said(client, volume=0.5).content)
    assert np.abs(quiet).max() == pytest.approx(np.abs(plain).max() / 2, rel=0.01)
    loud = samples(said(client, volume=10).content)
    assert np.abs(loud).max() == 32767
    events = list(streamed(client, volume=0.5))
    audio = b"".join(base64.b64decode(event.choices[0].delta.content or "") for event in events)
    assert np.array_equal(samples(audio), quiet)


def test_what_cannot_be_said_is_a_bad_request(client: ZhipuAiClient) -> None:
    for options in (
        {"voice": "nobody"},
        {"input": " "},
        {"speed": 3.0},
        {"volume": 0.0},
        {"response_format": "mp3"},
        {"stream": True, "response_format": "wav"},
        {"encode_format": "base32"},
    ):
        wanted: dict[str, Any] = {"model": "glm-tts", "input": "hello", **options}
        with pytest.raises(APIRequestFailedError) as refused:
            client.audio.speech(**wanted)
        error = refused.value.response.json()["error"]
        assert error["code"] == "1214"
        assert error["message"]


def test_a_full_line_is_429(serve: Serve) -> None:
    server = serve(ToneEngine(delay_s=600), short_text_concurrency=1, queue_max_size=0)
    with ThreadPoolExecutor(1) as pool, sdk(server, max_retries=0) as client:
        holder = pool.submit(server.say)
        server.wait_for_lane(active=1)
        with pytest.raises(APIReachLimitError) as refused:
            client.audio.speech(model="glm-tts", input="hello")
        server.engine.release()
        assert holder.result().status_code == 200
    assert refused.value.response.json()["error"]["code"] == "1302"
    assert refused.value.response.headers["retry-after"]


def test_work_that_was_begun_is_not_asked_for_again(serve: Serve) -> None:
    server = serve(ToneEngine(delay_s=30), short_text_timeout=0.3)
    with sdk(server) as client, pytest.raises(APIStatusError):
        client.audio.speech(model="glm-tts", input="hello")
    assert server.lane()["total"] == 1


def test_an_error_after_the_first_event_raises(serve: Serve) -> None:
    server = serve(ToneEngine(n_segments=2, segment_s=600), short_text_timeout=5)
    with sdk(server) as client, pytest.raises(APIResponseError) as refused:
        list(streamed(client))
    assert refused.value.json_data["code"] == "1230"  # type: ignore[index]


def test_keys(serve: Serve) -> None:
    server = serve(api_keys="id.secret")
    with sdk(server, key="id.secret") as client:
        assert said(client).content
        assert client.voice.list().voice_list
    with server.client() as http:
        answer = http.post(SPEECH, json={"input": "hello"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "1001")
