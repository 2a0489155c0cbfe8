"""Files that are no recording, or none that can be used: each is refused with the reason."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest

from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.contracts import Recording
from glm_tts_api.errors import NotAudio, PromptRejected
from tests.recordings import encoded_by_ffmpeg, png, voice

LIMITS = RecordingLimits(min_s=1.0, max_s=30.0)


def decode(data: bytes) -> Recording:
    return decode_audio(data, LIMITS)


def refusal(data: bytes) -> str:
    with pytest.raises(PromptRejected) as error:
        decode(data)
    return error.value.message


@pytest.mark.parametrize(
    "data",
    [
        png(),
        b"hello, this is text" * 100,
        "不是录音".encode("utf-16"),
        bytes(range(256)) * 40,
        b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"\xff\x0a" + bytes(range(256)) * 40,
        b"\x00",
    ],
    ids=["png", "text", "utf-16", "bytes", "playlist", "concat", "jpeg xl", "one byte"],
)
def test_no_audio(data: bytes) -> None:
    with pytest.raises(NotAudio):
        decode(data)


@pytest.mark.parametrize(
    "magic", [b"RIFF\x10\x00\x00\x00WAVE", b"fLaC", b"OggS", b"ID3\x03", b"\xff\xfb\x90\x64"]
)
def test_rubbish_behind_the_right_first_bytes(magic: bytes) -> None:
    rubbish = np.random.default_rng(1).bytes(5000)
    assert refusal(magic + rubbish)


def test_a_video_without_sound() -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        for piece in (frame, None):
            container.mux(stream.encode(piece))
    with pytest.raises(NotAudio, match="no sound"):
        decode(buffer.getvalue())


def test_a_rate_that_no_microphone_has_is_named() -> None:
    fast = encoded_by_ffmpeg(voice(2.0, 384_000), 384_000, "matroska", "pcm_s16le")
    assert "1 channels at 384000 Hz" in refusal(fast)


def test_a_sound_track_without_a_sample_cannot_be_decoded() -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="flac") as container:
        container.add_stream("flac", rate=24000, layout="mono")
        container.start_encoding()
    assert "cannot be decoded" in refusal(buffer.getvalue())
