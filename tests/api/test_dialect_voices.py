"""Voices as OpenAI's and Zhipu's packages add, list, speak and delete them, and what is kept of uploads."""

from __future__ import annotations

import io
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import soundfile
from zai import ZhipuAiClient
from zai.core import APIRequestFailedError

from tests.api.raw_client import ask, ask_for_speech, connected
from tests.api.running import Running
from tests.api.tone_engine import ToneEngine
from tests.api.zhipu_client import said, samples, sdk, uploaded
from tests.recordings import voice_wav

Serve = Callable[..., Running]
SAMPLE = ("mine.wav", voice_wav(2.0), "audio/wav")
TRANSCRIPT = {"prompt_text": "what is said"}
CLONE, FILES = "/api/paas/v4/voice/clone", "/api/paas/v4/files"
CLONED: dict[str, Any] = {"voice_name": "mine", "text": "t", "input": "hi", "model": "glm-tts-clone"}


@pytest.fixture
def zhipu(server: Running) -> Iterator[ZhipuAiClient]:
    with sdk(server) as client:
        yield client


def uploads(server: Running) -> Path:
    return server.root / "data" / "prompts" / "uploads"


def test_openais_package_adds_speaks_and_deletes_a_voice(server: Running) -> None:
    """Consents are answered and not kept."""
    http = openai.DefaultHttpxClient(trust_env=False)
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", http_client=http) as client:
        consents, voices = client.audio.voice_consents, client.audio.voices
        consent = consents.create(name="me", language="zh-CN", recording=SAMPLE)
        assert (consent.name, consent.language, consent.object) == ("me", "zh-CN", "audio.voice_consent")
        voice = voices.create(name="mine", audio_sample=SAMPLE, consent=consent.id, extra_body=TRANSCRIPT)
        assert (voice.id, voice.name, voice.object) == ("mine", "mine", "audio.voice")
        assert 1_700_000_000 < voice.created_at <= time.time()
        assert client.audio.speech.create(model="tts-1", voice=voice.id, input="hello").content
        with server.client() as own:
            assert own.get("/api/v1/prompts/mine").json()["prompt"]["prompt_text"] == "what is said"
        assert voices.delete("mine").deleted
        with pytest.raises(openai.NotFoundError):
            voices.delete("mine")
        assert list(consents.list()) == []
        assert consents.delete(consent.id).deleted
        for asks in (consents.retrieve, lambda id: consents.update(id, name="you")):
            with pytest.raises(openai.NotFoundError, match="keeps none"):
                asks(consent.id)
        with pytest.raises(openai.APIStatusError):
            consents.create(name="me", language="en-US", recording=("a.wav", b"text"))


def test_zhipus_package_clones_lists_speaks_and_deletes_a_voice(zhipu: ZhipuAiClient) -> None:
    file_id = uploaded(zhipu, voice_wav(4.0))
    cloned = zhipu.voice.clone(**{**CLONED, "voice_name": "我的音色", "file_id": file_id})
    heard, _ = soundfile.read(io.BytesIO(zhipu.files.content(cloned.file_id).content))
    assert len(heard) == 12000
    assert zhipu.files.content(file_id).content == voice_wav(4.0)
    (listed,) = zhipu.voice.list(voice_type="PRIVATE").voice_list
    assert (listed.voice_name, listed.voice) == ("我的音色", cloned.voice)
    assert len(samples(said(zhipu, voice=cloned.voice).content)) == 12000
    deleted = zhipu.voice.delete(voice=cloned.voice)
    assert (deleted.voice, len(deleted.update_time)) == (cloned.voice, len("2026-01-01 00:00:00"))
    assert zhipu.voice.list(voice_type="PRIVATE").voice_list == []
    listed_too = zhipu.voice.list().voice_list
    assert {"tongtong", "luodo", "exampleA"} <= {voice.voice for voice in listed_too}
    assert {voice.voice_type for voice in listed_too} == {"OFFICIAL"}
    (named,) = zhipu.voice.list(voice_name="tong").voice_list
    assert named.voice == "tongtong"
    assert httpx.get(named.download_url, trust_env=False, timeout=60).content == voice_wav(2.0)


def test_what_cannot_be_cloned_leaves_no_voice(zhipu: ZhipuAiClient) -> None:
    file_id = uploaded(zhipu, voice_wav(4.0))
    wrong: list[dict[str, Any]] = [
        *({"file_id": name} for name in ("file-none", "../prompt_cache.json")),
        *({"text": None}, {"input": "!"}, {"voice_name": "exampleA"}, {"voice_name": "a b"}),
    ]
    for options in wrong:
        with pytest.raises(APIRequestFailedError):
            zhipu.voice.clone(**{**CLONED, "file_id": file_id, **options})
    assert zhipu.voice.list(voice_type="PRIVATE").voice_list == []
    with pytest.raises(APIRequestFailedError):
        zhipu.files.create(file=("me.wav", b"text"), purpose="voice-clone-input")


def test_names_that_are_too_long_or_look_like_punycode(server: Running, zhipu: ZhipuAiClient) -> None:
    """Punycode of 16,000 Hanzi takes 40 s, and does not fit a voice's name. xn--ib9b decodes to half a
    character, which no answer can hold."""
    odd = ["xn--ib9b", "xn--", "xn---", "xn--99999999"]
    with server.client() as client:
        file_id = uploaded(zhipu, voice_wav(4.0))
        for name in ("".join(map(chr, range(0x4E00, 0x4E00 + 16_000))), "音乐" * 32 + "音", "乐音，" * 30):
            refused = client.post(CLONE, json={**CLONED, "file_id": file_id, "voice_name": name})
            assert refused.status_code == 400
            assert "voice_name must be" in refused.json()["error"]["message"]
        for index in odd:
            path = "configs/prompts/exampleA.wav"
            named = {"index": index, "prompt_text": "t", "prompt_audio_path": path}
            assert client.post("/api/v1/prompts", json=named).status_code == 201
    listed = [(voice.voice, voice.voice_name) for voice in zhipu.voice.list(voice_type="PRIVATE").voice_list]
    assert sorted(listed) == sorted((index, index) for index in odd)
    assert server.engine.n_spoken == 0


def test_only_the_newest_uploads_are_kept_and_what_a_killed_server_began_goes(
    zhipu: ZhipuAiClient, server: Running
) -> None:
    uploads(server).mkdir(parents=True)
    half, notes = uploads(server) / f"file-{'0' * 32}.new", uploads(server) / "notes.txt"
    half.write_bytes(b"half")
    notes.write_text("of the user")
    names = [uploaded(zhipu, voice_wav(1.0)) for _ in range(34)]
    assert (len(list(uploads(server).iterdir())), half.exists(), notes.exists()) == (33, False, True)
    assert zhipu.files.content(names[-1]).content == voice_wav(1.0)
    with pytest.raises(APIRequestFailedError, match="no file"):
        zhipu.files.content(names[0])


def test_a_key_reads_clones_and_pushes_out_its_own_uploads_alone(serve: Serve) -> None:
    """There is room for two."""
    server, recording = serve(api_keys="one,two", max_voices_mb=1), voice_wav(8.0)  # 0.37 MB
    with sdk(server, key="one") as one, sdk(server, key="two") as two:
        file = uploaded(one, recording)
        others = [uploaded(two, recording) for _ in range(3)]
        assert one.files.content(file).content == two.files.content(others[1]).content == recording
        with pytest.raises(APIRequestFailedError, match="no file"):
            two.files.content(others[0])
        with pytest.raises(APIRequestFailedError, match="no file"):
            two.files.content(file)
        with pytest.raises(APIRequestFailedError, match="no file"):
            two.voice.clone(**{**CLONED, "file_id": file})
    for folder in uploads(server).iterdir():
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_clone_that_waits_for_its_turn_holds_no_recording(serve: Serve) -> None:
    server, n_waiting = serve(ToneEngine(delay_s=30), short_text_concurrency=1), 8
    recording, port = voice_wav(4.0) + bytes(5 * 2**20), int(server.url.rpartition(":")[2])
    with server.client() as client, ExitStack() as clients:
        file = client.post(FILES, files={"file": ("a.wav", recording)}).json()["id"]
        ask_for_speech(clients.enter_context(connected(port)))
        server.wait_for_lane(active=1)
        tracemalloc.start()
        for n in range(n_waiting):
            wanted = {"voice_name": f"v{n}", "text": "t", "input": "hi", "file_id": file}
            ask(clients.enter_context(connected(port)), CLONE, wanted)
        server.wait_for_lane(waiting=n_waiting)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert held < n_waiting * len(recording) / 4
