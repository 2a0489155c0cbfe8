"""What the studio saves of a sound that it has: its samples, in every format, and nothing is spoken again."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from tests.api.running import Running
from tests.recordings import seconds_of, voice


def pcm_of(seconds: float, sample_rate: int) -> bytes:
    return (voice(seconds, sample_rate) * 32767).astype("<i2").tobytes()


def encoded(
    server: Running, pcm: bytes | None, headers: dict[str, str] | None = None, **fields: Any
) -> httpx.Response:
    with server.client() as client:
        files = None if pcm is None else {"pcm": ("pcm", pcm)}
        data = {"response_format": "mp3", "sample_rate": 24000, **fields}
        return client.post("/studio/encode", data=data, files=files, headers=headers)


@pytest.mark.parametrize("sample_rate", [8000, 24000, 44100])
def test_a_file_has_every_sample_or_sounds_as_long(server: Running, sample_rate: int) -> None:
    pcm = pcm_of(25.3, sample_rate)  # more than one piece
    for audio_format in ("flac", "wav"):
        answer = encoded(server, pcm, response_format=audio_format, sample_rate=sample_rate)
        samples, rate = soundfile.read(io.BytesIO(answer.content), dtype="int16")
        assert rate == sample_rate
        assert np.array_equal(samples, np.frombuffer(pcm, "<i2"))
    for audio_format, media_type in (("mp3", "audio/mpeg"), ("opus", "audio/ogg"), ("aac", "audio/aac")):
        answer = encoded(server, pcm, response_format=audio_format, sample_rate=sample_rate)
        assert answer.headers["Content-Type"] == media_type
        assert seconds_of(answer.content) == pytest.approx(25.3, abs=0.1)


def test_what_is_no_sound_is_refused(server: Running) -> None:
    bad: tuple[tuple[bytes | None, dict[str, Any], str], ...] = (
        (b"\0\0\0", {}, "whole samples"),
        (None, {}, "as the file pcm"),
        (b"\0\0", {"response_format": "json"}, "wav, flac"),
        (b"\0\0", {"sample_rate": 11025}, "8000, 16000, 22050, 24000, 32000, 44100 or 48000"),
    )
    for pcm, fields, named in bad:
        answer = encoded(server, pcm, **fields)
        assert (answer.status_code, named in answer.json()["message"]) == (400, True)


def test_it_is_bounded_and_guarded(serve: Callable[..., Running]) -> None:
    server = serve(api_keys="k3y", max_upload_mb=1)
    assert encoded(server, b"\0\0").status_code == 401
    key = {"X-API-Key": "k3y"}
    assert encoded(server, b"\0\0" * 100, key).status_code == 200
    assert encoded(server, b"\0" * 2**20, key).json()["code"] == "body_too_large"
