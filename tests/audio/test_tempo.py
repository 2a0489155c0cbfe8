"""Speech at another speed: its length changes, its pitch and level do not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from glm_tts_api.audio.tempo import Paced
from tests.recordings import voice

RATE = 24000


def at_speed(
    pcm: npt.NDArray[np.float32], speed: float, size: int, rate: int = RATE
) -> npt.NDArray[np.float32]:
    paced = Paced(rate)
    pieces = [paced.push(pcm[at : at + size], speed) for at in range(0, len(pcm), size)]
    return np.concatenate([*pieces, paced.finish()])


def pitch_hz(pcm: npt.NDArray[np.float32]) -> float:
    middle = pcm[len(pcm) // 2 :][:8192] * np.hanning(8192)
    spectrum = np.abs(np.fft.rfft(middle, 1 << 17))
    hz = np.fft.rfftfreq(1 << 17, 1 / RATE)
    near = (hz > 90) & (hz < 200)
    return float(hz[near][spectrum[near].argmax()])


@pytest.mark.parametrize("speed", [0.25, 0.3, 0.5, 0.8, 1.25, 2.0, 3.0, 4.0])
@pytest.mark.parametrize("seconds", [0.12, 0.5, 4.0])
@pytest.mark.parametrize("size", [480, 10**6])
@pytest.mark.parametrize("rate", [24000, 32000])
def test_it_lasts_exactly_as_long_as_it_is_to(speed: float, seconds: float, size: int, rate: int) -> None:
    spoken = voice(seconds, rate)
    assert len(at_speed(spoken, speed, size, rate)) == round(len(spoken) / speed)


@pytest.mark.parametrize("speed", [0.25, 1.25, 4.0])
def test_what_is_said_last_is_heard(speed: float) -> None:
    """A tone of 0.1 s after silence."""
    spoken = np.concatenate([np.zeros(RATE, np.float32), voice(0.1)])
    found = at_speed(spoken, speed, 2400)
    assert np.square(found).sum() * speed > 0.6 * np.square(spoken).sum()


@pytest.mark.parametrize("speed", [0.25, 0.5, 0.8, 1.25, 2.0, 4.0])
@pytest.mark.parametrize("size", [2400, 10**6])
def test_pitch_and_level(speed: float, size: int) -> None:
    spoken = voice(4.0)
    found = at_speed(spoken, speed, size)
    assert abs(pitch_hz(found) / pitch_hz(spoken) - 1) < 0.02
    assert abs(20 * np.log10(found.std() / spoken.std())) < 0.5


@pytest.mark.parametrize("speed", [0.25, 0.5, 1.25, 4.0])
def test_most_of_a_piece_leaves_at_once(speed: float) -> None:
    """What a listener waits for is the first piece of half a second, not the second."""
    first = Paced(RATE).push(voice(0.5), speed)
    assert len(first) * speed / RATE > 0.35


def test_in_pieces_it_is_what_it_is_at_once_and_nothing_is_put_between_them() -> None:
    spoken = voice(2.0)
    found = at_speed(spoken, 1.25, 2400)
    np.testing.assert_array_equal(found, at_speed(spoken, 1.25, len(spoken)))
    assert np.count_nonzero(found == 0) <= 2


def test_nothing_at_all_is_no_fault() -> None:
    assert len(at_speed(np.zeros(0, np.float32), 2.0, 100)) == 0


def test_pieces_at_speeds_of_their_own_last_as_long_as_each_takes() -> None:
    paced = Paced(RATE)
    silence = np.zeros(RATE, np.float32)
    pieces = [paced.push(voice(1.0), 2.0), paced.push(silence, 1.0), paced.push(voice(1.0), 0.5)]
    wave = np.concatenate([*pieces, paced.finish()])
    assert len(wave) == 3.5 * RATE
    quiet = "".join("." if sample == 0 else " " for sample in wave)
    assert quiet.index("." * RATE) == pytest.approx(0.5 * RATE, rel=0.05)
