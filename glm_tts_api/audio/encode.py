"""PCM to bytes. Knows numpy arrays; knows no HTTP."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

from glm_tts_api.contracts import Float32

_FULL_SCALE = 32767
_BYTES_PER_SAMPLE = 2


def to_pcm16(pcm: Float32) -> npt.NDArray[np.int16]:
    """Float samples in [-1, 1] to 16 bit; what lies outside is clipped."""
    return np.round(np.clip(pcm, -1.0, 1.0) * _FULL_SCALE).astype("<i2")


def encode_wav(pcm: Float32, sample_rate: int) -> bytes:
    """Mono float32 `pcm` [n] in [-1, 1] as a WAV file, 16 bit PCM."""
    data = to_pcm16(pcm).tobytes()
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + len(data),
        b"WAVE",
        b"fmt ",
        16,
        1,  # PCM
        1,  # channels
        sample_rate,
        sample_rate * _BYTES_PER_SAMPLE,
        _BYTES_PER_SAMPLE,
        8 * _BYTES_PER_SAMPLE,
        b"data",
        len(data),
    )
    return header + data
