"""The speech API of Zhipu's cloud, as its own package speaks it over a real port."""

from __future__ import annotations

import base64
import io
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from raw_client import ask, ask_for_speech, connected
from recordings import voice_wav
from running import Running
from tone_engine import ToneEngine
from zai import ZhipuAiClient
from zai.core import (
    APIReachLimitError,
    APIRequestFailedError,
    APIResponseError,
    APIStatusError,
)

Serve = Callable[..., Running]
SPEECH = "/api/paas/v4/audio/speech"


def sdk(server: Running, key: str = "any", **options: Any) -> ZhipuAiClient:
    http = httpx.Client(trust_env=False, headers=options.pop("headers", None))
    return ZhipuAiClient(base_url=f"{server.url}/api/paas/v4/", api_key=key, http_client=http, **options)


@pytest.fixture
def client(server: Running) -> Iterator[ZhipuAiClient]:
    with sdk(server) as client:
        yield client


def samples(pcm: bytes) -> Any:
    return np.frombuffer(pcm, "<i2")


def streamed(client: ZhipuAiClient, **options: Any) -> list[Any]:
    return list(client.audio.speech(model="glm-tts", input="hello", stream=True, **options))


def test_pcm_unless_told_otherwise_in_the_clouds_default_voice(client: ZhipuAiClient) -> None:
    answer = client.audio.speech(model="glm-tts", input="hello")
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
    assert len(samples(client.audio.speech(model="glm-tts", input="hello", voice="female").content)) == 12000


def test_wav(client: ZhipuAiClient) -> None:
    answer = client.audio.speech(model="glm-tts", input="hello", voice="chuichui", response_format="wav")
    heard, rate = soundfile.read(io.BytesIO(answer.content))
    assert (len(heard), rate) == (12000, 24000)


@pytest.mark.parametrize("encode_format", ["base64", "hex", None])
def test_events_carry_the_audio_while_it_is_made(serve: Serve, encode_format: str | None) -> None:
    server = serve(ToneEngine(n_segments=3, segment_s=0.2))
    with sdk(server) as client:
        events = iter(
            client.audio.speech(model="glm-tts", input="hello", stream=True, encode_format=encode_format)
        )
        first = next(events)
        assert server.lane()["active"] == 1
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
    plain = samples(client.audio.speech(model="glm-tts", input="hello").content)
    fast = samples(client.audio.speech(model="glm-tts", input="hello", speed=2.0).content)
    assert len(fast) == pytest.approx(6000, rel=0.05)
    quiet = samples(client.audio.speech(model="glm-tts", input="hello", volume=0.5).content)
    assert np.abs(quiet).max() == pytest.approx(np.abs(plain).max() / 2, rel=0.01)
    loud = samples(client.audio.speech(model="glm-tts", input="hello", volume=10).content)
    assert np.abs(loud).max() == 32767
    events = streamed(client, volume=0.5)
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
    server = serve(ToneEngine(delay_s=1.0), short_text_concurrency=1, queue_max_size=0)
    with ThreadPoolExecutor(1) as pool, sdk(server, max_retries=0) as client:
        holder = pool.submit(server.say)
        server.wait_for_lane(active=1)
        with pytest.raises(APIReachLimitError) as refused:
            client.audio.speech(model="glm-tts", input="hello")
        assert holder.result().status_code == 200
    assert refused.value.response.json()["error"]["code"] == "1302"
    assert refused.value.response.headers["retry-after"]


def test_work_that_was_begun_is_not_asked_for_again(serve: Serve) -> None:
    server = serve(ToneEngine(delay_s=30), short_text_timeout=0.3)
    with sdk(server) as client, pytest.raises(APIStatusError):
        client.audio.speech(model="glm-tts", input="hello")
    assert server.lane()["total"] == 1


def test_an_error_after_the_first_event_raises(serve: Serve) -> None:
    server = serve(ToneEngine(n_segments=20, segment_s=0.2), short_text_timeout=0.7)
    with sdk(server) as client, pytest.raises(APIResponseError) as refused:
        streamed(client)
    assert refused.value.json_data["code"] == "1230"  # type: ignore[index]


def test_keys(serve: Serve) -> None:
    server = serve(api_keys="id.secret")
    with sdk(server, key="id.secret") as client:
        assert client.audio.speech(model="glm-tts", input="hello").content
        assert client.voice.list().voice_list
    with server.client() as http:
        answer = http.post(SPEECH, json={"input": "hello"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "1001")


@pytest.mark.parametrize("name", ["mine", "我的音色"])
def test_a_voice_is_cloned_listed_spoken_and_deleted(client: ZhipuAiClient, name: str) -> None:
    uploaded = client.files.create(file=("me.wav", voice_wav(4.0)), purpose="voice-clone-input")
    cloned = client.voice.clone(
        voice_name=name, text="录音里的字", input="试听", file_id=uploaded.id, model="glm-tts-clone"
    )
    heard, _ = soundfile.read(io.BytesIO(client.files.content(cloned.file_id).content))
    assert len(heard) == 12000
    assert client.files.content(uploaded.id).content == voice_wav(4.0)
    listed = {voice.voice_name: voice for voice in client.voice.list(voice_type="PRIVATE").voice_list}
    assert listed[name].voice == cloned.voice
    assert (
        len(samples(client.audio.speech(model="glm-tts", input="hello", voice=cloned.voice).content)) == 12000
    )
    deleted = client.voice.delete(voice=cloned.voice)
    assert (deleted.voice, len(deleted.update_time)) == (cloned.voice, len("2026-01-01 00:00:00"))
    assert client.voice.list(voice_type="PRIVATE").voice_list == []
    with pytest.raises(APIRequestFailedError):
        client.voice.delete(voice=cloned.voice)


def test_the_list_has_the_clouds_names_too_and_is_filtered(client: ZhipuAiClient) -> None:
    listed = client.voice.list().voice_list
    assert {"tongtong", "luodo", "exampleA"} <= {voice.voice for voice in listed}
    assert {voice.voice_type for voice in listed} == {"OFFICIAL"}
    named = client.voice.list(voice_name="tong").voice_list
    assert [voice.voice for voice in named] == ["tongtong"]
    assert httpx.get(named[0].download_url, trust_env=False).content == voice_wav(2.0)


def test_the_clouds_names_stand_for_the_voices_of_the_setting(serve: Serve) -> None:
    server = serve(zhipu_voices="tongtong=exampleB")
    with sdk(server) as client:
        assert client.audio.speech(model="glm-tts", input="hello").content
        with pytest.raises(APIRequestFailedError, match="no voice 'jam'"):
            client.audio.speech(model="glm-tts", input="hello", voice="jam")


def test_what_cannot_be_cloned_leaves_no_voice(client: ZhipuAiClient) -> None:
    wanted: dict[str, Any] = {"voice_name": "mine", "text": "t", "input": "hi", "model": "glm-tts-clone"}
    file_id = client.files.create(file=("me.wav", voice_wav(4.0)), purpose="voice-clone-input").id
    for options in (
        {"file_id": "file-none"},
        {"file_id": "../prompt_cache.json"},
        {"text": None, "file_id": file_id},
        {"input": "!", "file_id": file_id},
        {"voice_name": "exampleA", "file_id": file_id},
        {"voice_name": "a b", "file_id": file_id},
    ):
        with pytest.raises(APIRequestFailedError):
            client.voice.clone(**{**wanted, **options})
    assert client.voice.list(voice_type="PRIVATE").voice_list == []
    with pytest.raises(APIRequestFailedError):
        client.files.create(file=("me.wav", b"text"), purpose="voice-clone-input")


def test_a_name_that_is_too_long_is_refused_before_anything_is_said(server: Running) -> None:
    """Punycode of 16,000 Hanzi takes 40 s, and does not fit a voice's name."""
    with server.client() as http, sdk(server) as client:
        file_id = client.files.create(file=("me.wav", voice_wav(4.0)), purpose="voice-clone-input").id
        wanted = {"text": "t", "input": "hi", "file_id": file_id}
        for name in ("".join(map(chr, range(0x4E00, 0x4E00 + 16_000))), "音乐" * 30 + "音", "乐音" * 30):
            refused = http.post("/api/paas/v4/voice/clone", json={**wanted, "voice_name": name})
            assert refused.status_code == 400
            assert "voice_name must be" in refused.json()["error"]["message"]
    assert server.engine.n_spoken == 0


@pytest.mark.parametrize("index", ["xn--ib9b", "xn--", "xn---", "xn--99999999"])
def test_a_name_that_only_begins_like_an_encoded_one_is_shown_as_it_is(server: Running, index: str) -> None:
    """The first decodes to half a character, which no answer can hold."""
    with server.client() as http, sdk(server) as client:
        named = {"index": index, "prompt_text": "t", "prompt_audio_path": "configs/prompts/exampleA.wav"}
        assert http.post("/api/v1/prompts", json=named).status_code == 201
        (listed,) = client.voice.list(voice_type="PRIVATE").voice_list
    assert (listed.voice, listed.voice_name) == (index, index)


def test_only_the_newest_uploads_are_kept(client: ZhipuAiClient, server: Running) -> None:
    recording = voice_wav(1.0)
    names = [
        client.files.create(file=("me.wav", recording), purpose="voice-clone-input").id for _ in range(34)
    ]
    assert len(list(Path(server.root, "data", "prompts", "uploads").iterdir())) == 32
    assert client.files.content(names[-1]).content == recording
    with pytest.raises(APIRequestFailedError, match="no file"):
        client.files.content(names[0])


def test_a_clone_that_waits_for_its_turn_holds_no_recording(serve: Serve) -> None:
    server, n_waiting = serve(ToneEngine(delay_s=30), short_text_concurrency=1), 8
    recording, port = voice_wav(4.0) + bytes(5 * 2**20), int(server.url.rpartition(":")[2])
    with server.client() as client, ExitStack() as clients:
        file = client.post("/api/paas/v4/files", files={"file": ("a.wav", recording)}).json()["id"]
        ask_for_speech(clients.enter_context(connected(port)))
        server.wait_for_lane(active=1)
        tracemalloc.start()
        for n in range(n_waiting):
            wanted = {"voice_name": f"v{n}", "text": "t", "input": "hi", "file_id": file}
            ask(clients.enter_context(connected(port)), "/api/paas/v4/voice/clone", wanted)
        server.wait_for_lane(waiting=n_waiting)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert held < n_waiting * len(recording) / 4


def test_uploads_take_no_more_room_than_is_set(serve: Serve) -> None:
    server, recording = serve(max_voices_mb=1), voice_wav(8.0)  # 0.37 MB
    with sdk(server) as client:
        ids = [
            client.files.create(file=("a.wav", recording), purpose="voice-clone-input").id for _ in range(3)
        ]
        assert client.files.content(ids[1]).content == client.files.content(ids[2]).content == recording
        with pytest.raises(APIRequestFailedError, match="no file"):
            client.files.content(ids[0])


def test_the_list_repeats_the_servers_name_as_far_as_it_can_be_one(serve: Serve) -> None:
    with serve().client(headers={"Host": "x" * 5000}) as http:
        listed = http.get("/api/paas/v4/voice/list").json()["voice_list"]
    assert all(len(voice["download_url"]) < 400 for voice in listed)


def test_writing_needs_the_same_right_as_in_our_own_api(server: Running) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"X-Forwarded-For": "203.0.113.5"}):
        with sdk(server, headers=headers) as client:
            for write in (
                lambda: client.files.create(file=("a.wav", voice_wav(4.0)), purpose="voice-clone-input"),
                lambda: client.voice.clone(voice_name="m", text="t", input="i", file_id="f", model="m"),
                lambda: client.voice.delete(voice="exampleA"),
            ):
                with pytest.raises(APIStatusError) as refused:
                    write()
                assert refused.value.status_code == 403
