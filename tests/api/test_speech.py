"""A request that holds is spoken: JSON and WAV, by form, by JSON, by index and by recording."""

from __future__ import annotations

import base64
import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.api.running import Running
from tests.api.tone_engine import ToneEngine
from tests.recordings import encoded_by_ffmpeg, voice, voice_wav


def decoded(wav: bytes) -> tuple[np.ndarray, int]:
    with soundfile.SoundFile(io.BytesIO(wav)) as file:
        assert (file.format, file.subtype, file.channels) == ("WAV", "PCM_16", 1)
        return file.read(), file.samplerate


def test_the_guides_curl_line(server: Running) -> None:
    fields = ["-F", "input_text=测试文本", "-F", "index=exampleA", "-F", "sample_rate=24000"]
    url = f"{server.url}/api/v1/tts"
    done = subprocess.run(
        ["curl", "-s", "--noproxy", "*", "-X", "POST", url, *fields], capture_output=True, check=True
    )
    assert b'"success": true' in done.stdout


def test_json_answer(server: Running) -> None:
    response = server.say("你好", seed=7)
    assert response.headers["Content-Type"] == "application/json"
    body = response.json()
    assert body["success"] is True
    assert body["error"] is None
    assert body["sample_rate"] == 24000
    assert body["generation_time"] == round(body["generation_time"], 2)
    assert body["segments"] == 1
    samples, rate = decoded(base64.b64decode(body["audio_base64"], validate=True))
    assert rate == 24000
    assert body["audio_seconds"] == pytest.approx(len(samples) / rate) == 0.5


def test_the_real_time_factor_is_work_over_speech(serve: Callable[..., Running]) -> None:
    server = serve(ToneEngine(delay_s=0.4, seconds=4.0))
    body = server.say().json()
    assert 0.4 <= body["generation_time"] < 4.0
    assert body["rtf"] == pytest.approx(body["generation_time"] / 4.0, abs=0.005)


def test_wav_answer(server: Running) -> None:
    response = server.say(response_format="wav", sample_rate=32000)
    samples, rate = decoded(response.content)
    assert response.headers["Content-Type"] == "audio/wav"
    assert response.headers["X-Sample-Rate"] == str(rate) == "32000"
    assert float(response.headers["X-Audio-Seconds"]) == len(samples) / rate == 0.5
    assert float(response.headers["X-Generation-Time"]) >= 0
    assert response.headers["X-Request-Id"]


def test_the_three_bodies_mean_the_same(server: Running) -> None:
    fields = {"input_text": "你好", "index": "exampleA", "seed": 3, "response_format": "wav"}
    with server.client() as client:
        answers = [
            client.post("/api/v1/tts", data=fields),
            client.post("/api/v1/tts", json=fields),
            client.post("/api/v1/tts", files={name: (None, str(value)) for name, value in fields.items()}),
            client.post(
                "/api/v1/tts",
                content="input_text=你好&index=exampleA&seed=3&response_format=wav".encode(),
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            ),
        ]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.content for answer in answers}) == 1


def test_a_form_whose_type_names_its_charset(server: Running) -> None:
    body = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    form = body.format("input_text", "你好") + body.format("index", "exampleA") + "--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x; charset=utf-8"}
    with server.client() as client:
        assert client.post("/api/v1/tts", content=form.encode(), headers=headers).status_code == 200


def test_empty_and_unknown_fields_are_ignored(server: Running) -> None:
    files = {"prompt_audio": ("", b"")}
    fields = {"input_text": "hi", "index": "exampleB", "prompt_text": "", "seed": "", "feeling": "good"}
    with server.client() as client:
        assert client.post("/api/v1/tts", data=fields, files=files).status_code == 200
        nulls = {"input_text": "hi", "index": "exampleB", "seed": None, "prompt_text": None}
        assert client.post("/api/v1/tts", json=nulls).status_code == 200


@pytest.mark.parametrize(
    ("name", "recording"),
    [
        ("voice.wav", voice_wav(2.0)),
        ("voice.m4a", encoded_by_ffmpeg(voice(2.0, 48000), 48000, "mp4", "aac")),
        ("voice.webm", encoded_by_ffmpeg(voice(2.0, 48000), 48000, "webm", "libopus")),
    ],
)
def test_a_recording_as_voice(server: Running, name: str, recording: bytes) -> None:
    with server.client() as client:
        response = client.post(
            "/api/v1/tts",
            data={"input_text": "hello", "prompt_text": "what is said"},
            files={"prompt_audio": (name, recording)},
        )
    assert response.status_code == 200, response.text


def test_a_recording_without_its_transcript_and_the_reverse(server: Running) -> None:
    with server.client() as client:
        files = {"prompt_audio": ("voice.wav", voice_wav(2.0))}
        for data, message in (
            ({}, "prompt_audio needs prompt_text, its exact transcript."),
            ({"prompt_text": " "}, "prompt_audio needs prompt_text, its exact transcript."),
        ):
            answer = client.post("/api/v1/tts", data={"input_text": "hello", **data}, files=files)
            assert (answer.status_code, answer.json()["message"]) == (400, message)
        answer = client.post("/api/v1/tts", data={"input_text": "hello", "prompt_text": "what is said"})
        assert answer.status_code == 400
        assert answer.json()["message"].startswith("prompt_text needs prompt_audio")


def test_a_sane_request_id_is_kept_and_another_replaced(server: Running) -> None:
    with server.client() as client:
        given = client.get("/api/v1/health", headers={"X-Request-Id": "abc-1.2_3"})
        assert given.headers["X-Request-Id"] == "abc-1.2_3"
        bad = client.get("/api/v1/health", headers={"X-Request-Id": "a b\tc" + "x" * 100})
        assert len(bad.headers["X-Request-Id"]) == 32


def test_the_verification_sentence_counts_nowhere_and_once(server: Running) -> None:
    token = server.root / "run" / "verify.token"
    token.parent.mkdir(exist_ok=True)
    token.write_text("0123456789abcdef0123\n")
    with server.client(headers={"X-Verify-Token": "0123456789abcdef0123"}) as client:
        fields = {"input_text": "你好。", "index": "exampleA"}
        assert client.post("/api/v1/tts", data=fields).status_code == 200
        assert not token.exists()
        assert server.lane() == {**dict.fromkeys(server.lane(), 0), "limit": 15, "available": 15}
        assert client.post("/api/v1/tts", data=fields).status_code == 200
    assert server.lane()["total"] == 1


def test_a_wrong_token_is_an_ordinary_request(server: Running) -> None:
    token: Path = server.root / "run" / "verify.token"
    token.parent.mkdir(exist_ok=True)
    token.write_text("0123456789abcdef0123")
    with server.client(headers={"X-Verify-Token": "0123456789abcdef9999"}) as client:
        assert client.post("/api/v1/tts", data={"input_text": "a", "index": "exampleA"}).status_code == 200
    assert token.exists()
    assert server.lane()["total"] == 1
