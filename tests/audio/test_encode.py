"""WAV files that libsndfile reads back."""

from __future__ import annotations

import io

import numpy as np
import soundfile
from recordings import voice

from glm_tts_api.audio.encode import encode_wav


def test_a_wav_reads_back() -> None:
    samples, rate = soundfile.read(io.BytesIO(encode_wav(voice(0.5), 32000)))
    assert rate == 32000
    np.testing.assert_allclose(samples, voice(0.5), atol=2**-15)


def test_what_is_louder_than_full_scale_is_clipped_and_does_not_wrap() -> None:
    samples, _ = soundfile.read(
        io.BytesIO(encode_wav(np.array([2.0, -2.0, 1.0, -1.0], np.float32), 24000)), dtype="int16"
    )
    assert samples.tolist() == [32767, -32767, 32767, -32767]


def test_an_empty_wav_is_a_wav() -> None:
    samples, _ = soundfile.read(io.BytesIO(encode_wav(np.zeros(0, np.float32), 24000)))
    assert len(samples) == 0
