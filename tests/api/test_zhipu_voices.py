"""Voices as Zhipu's cloud has them: uploaded, cloned, listed, deleted, with its own package."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import soundfile
from zai import ZhipuAiClient
from zai.core import APIRequestFailedError, APIStatusError

from tests.api.raw_client import ask, ask_for_speech, connected
from tests.api.running import Running
from tests.api.tone_engine import ToneEngine
from tests.api.zhipu_client import said, samples, sdk, uploaded
from tests.recordings import voice_wav

Serve = Callable[..., Running]


@pytest.fixture
def client(server: Running) -> Iterator[ZhipuAiClient]:
    with sdk(server) as client:
        yield client


@pytest.mark.parametrize("name", ["mine", "我的音色"])
def test_a_voice_is_cloned_listed_spoken_and_deleted(client: ZhipuAiClient, name: str) -> None:
    file_id = uploaded(client, voice_wav(4.0))
    cloned = client.voice.clone(
        voice_name=name, text="录音里的字", input="试听", file_id=file_id, model="glm-tts-clone"
    )
    heard, _ = soundfile.read(io.BytesIO(client.files.content(cloned.file_id).content))
    assert len(heard) == 12000
    assert client.files.content(file_id).content == voice_wav(4.0)
    listed = {voice.voice_name: voice for voice in client.voice.list(voice_type="PRIVATE").voice_list}
    assert listed[name].voice == cloned.voice
    assert len(samples(said(client, voice=cloned.voice).content)) == 12000
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
    assert httpx.get(named[0].download_url, trust_env=False, timeout=60).content == voice_wav(2.0)


def test_the_clouds_names_stand_for_the_voices_of_the_setting(serve: Serve) -> None:
    server = serve(voice_aliases="tongtong=exampleB")
    with sdk(server) as client:
        assert said(client).content
        assert said(client, voice="jam").content
        with pytest.raises(APIRequestFailedError, match="no voice 'jim'"):
            client.audio.speech(model="glm-tts", input="hello", voice="jim")
    spoke = [getattr(asked.voice, "name", None) for asked in server.engine.requests]
    assert spoke == ["exampleB", "exampleA"]


def test_what_cannot_be_cloned_leaves_no_voice(client: ZhipuAiClient) -> None:
    wanted: dict[str, Any] = {"voice_name": "mine", "text": "t", "input": "hi", "model": "glm-tts-clone"}
    file_id = uploaded(client, voice_wav(4.0))
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
        file_id = uploaded(client, voice_wav(4.0))
        wanted = {"text": "t", "input": "hi", "file_id": file_id}
        for name in ("".join(map(chr, range(0x4E00, 0x4E00 + 16_000))), "音乐" * 32 + "音", "乐音，" * 30):
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
    names = [uploaded(client, recording) for _ in range(34)]
    assert len(list(Path(server.root, "data", "prompts", "uploads").iterdir())) == 32
    assert client.files.content(names[-1]).content == recording
    with pytest.raises(APIRequestFailedError, match="no file"):
        client.files.content(names[0])


def test_a_key_reads_clones_and_pushes_out_its_own_uploads_alone(serve: Serve) -> None:
    server, recording = serve(api_keys="one,two"), voice_wav(4.0)
    with sdk(server, key="one") as one, sdk(server, key="two") as two:
        file = uploaded(one, recording)
        for _ in range(32):
            uploaded(two, recording)
        assert one.files.content(file).content == recording
        with pytest.raises(APIRequestFailedError, match="no file"):
            two.files.content(file)
        with pytest.raises(APIRequestFailedError, match="no file"):
            two.voice.clone(voice_name="m", text="t", input="i", file_id=file, model="m")
    for folder in Path(server.root, "data", "prompts", "uploads").iterdir():
        assert folder.stat().st_mode & 0o777 == 0o700


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
        ids = [uploaded(client, recording) for _ in range(3)]
        assert client.files.content(ids[1]).content == client.files.content(ids[2]).content == recording
        with pytest.raises(APIRequestFailedError, match="no file"):
            client.files.content(ids[0])


def test_what_a_killed_server_began_to_write_goes_with_the_oldest(
    client: ZhipuAiClient, server: Running
) -> None:
    folder = Path(server.root, "data", "prompts", "uploads")
    folder.mkdir(parents=True)
    (folder / f"file-{'0' * 32}.new").write_bytes(b"half")
    (folder / "notes.txt").write_text("of the user")
    for _ in range(32):
        uploaded(client, voice_wav(1.0))
    left = {path.name for path in folder.iterdir()}
    assert len(left) == 33
    assert "notes.txt" in left
    assert f"file-{'0' * 32}.new" not in left


def test_the_list_repeats_the_servers_name_as_far_as_it_can_be_one(serve: Serve) -> None:
    with serve().client(headers={"Host": "x" * 5000}) as http:
        listed = http.get("/api/paas/v4/voice/list").json()["voice_list"]
    assert all(len(voice["download_url"]) < 400 for voice in listed)


def test_writing_needs_the_same_right_as_in_our_own_api(server: Running) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"X-Forwarded-For": "203.0.113.5"}):
        with sdk(server, headers=headers) as client:
            writes: list[Callable[[], object]] = [
                lambda: uploaded(client, voice_wav(4.0)),
                lambda: client.voice.clone(voice_name="m", text="t", input="i", file_id="f", model="m"),
                lambda: client.voice.delete(voice="exampleA"),
            ]
            for write in writes:
                with pytest.raises(APIStatusError) as refused:
                    write()
                assert refused.value.status_code == 403
