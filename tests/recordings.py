"""Small recordings for the tests, made here: nothing to download, no speech synthesiser needed."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import soundfile


def voice(seconds: float, sample_rate: int = 24000) -> npt.NDArray[np.float32]:
    """Something like a vowel that comes and goes four times a second."""
    time = np.arange(int(seconds * sample_rate)) / sample_rate
    harmonics = sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 12))
    return (0.2 * harmonics * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time))).astype(np.float32)


@cache
def voice_wav(seconds: float, sample_rate: int = 24000) -> bytes:
    return encoded(voice(seconds, sample_rate), sample_rate, "WAV")


def encoded(
    samples: npt.NDArray[np.float32 | np.int16], sample_rate: int, file_format: str, **options: Any
) -> bytes:
    """`samples` [n] or [n, channels] by libsndfile: WAV, FLAC, OGG, MP3."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate, format=file_format, **options)
    return buffer.getvalue()


def seconds_of(audio: bytes) -> float:
    """How long a body plays, by FFmpeg's libraries."""
    with av.open(io.BytesIO(audio)) as file:
        stream = file.streams.audio[0]
        return float(sum(frame.samples for frame in file.decode(stream)) / stream.rate)


def encoded_by_ffmpeg(samples: npt.NDArray[np.float32], sample_rate: int, muxer: str, codec: str) -> bytes:
    """Mono `samples` [n] in a container that libsndfile does not write."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=muxer) as container:
        stream = container.add_stream(codec, rate=sample_rate, layout="mono")
        context = stream.codec_context
        convert = av.AudioResampler(
            context.format, "mono", sample_rate, frame_size=context.frame_size or 1024
        )
        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate = sample_rate
        for piece in [*convert.resample(frame), *convert.resample(None), None]:
            container.mux(stream.encode(piece))
    return buffer.getvalue()


def png() -> bytes:
    """An 8 by 8 image."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="image2pipe") as container:
        stream = container.add_stream("png", rate=1)
        stream.width = stream.height = 8
        stream.pix_fmt = "rgb24"
        image = av.VideoFrame.from_ndarray(np.zeros((8, 8, 3), np.uint8), format="rgb24")
        for piece in (image, None):
            container.mux(stream.encode(piece))
    return buffer.getvalue()
