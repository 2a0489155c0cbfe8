"""Speech as a phone records it, which the mini learns to take as a prompt."""

import random

import numpy as np
import pytest

from mini.recording import as_recorded


def burst() -> np.ndarray:
    t = np.arange(48000) / 24000
    tone = np.sin(2 * np.pi * 440 * t) + np.sin(2 * np.pi * 11800 * t)
    return (0.3 * tone * ((t > 0.5) & (t < 1.0))).astype(np.float32)


@pytest.mark.parametrize("seed", range(10))
def test_speech_stays_where_it_was_with_noise_before_an_echo_after_and_duller(seed: int) -> None:
    recorded = as_recorded(burst(), random.Random(seed))
    power = np.square(recorded).reshape(20, -1).mean(1)
    assert len(recorded) == 48000
    assert np.abs(recorded).max() <= 0.9
    assert power[5:10].min() > 3 * power[:5].max() > 0
    assert np.square(recorded[24000:25200]).mean() > np.square(recorded[:11000]).mean() > 0
    spectrum = np.abs(np.fft.rfft(recorded))
    assert spectrum[2 * 11800] < 0.7 * spectrum[2 * 440]
    assert np.array_equal(recorded, as_recorded(burst(), random.Random(seed)))
