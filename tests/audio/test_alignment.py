"""Word edges by the sound alone: of bursts whose places are known."""

from __future__ import annotations

import numpy as np
import pytest

from glm_tts_api.audio.alignment import word_times
from glm_tts_api.contracts import Float32
from speech_text import WrittenWord

RATE = 24000


def bursts(*seconds: float) -> Float32:
    """Noise and silence in turns: silence first."""
    draw = np.random.default_rng(0)
    parts = [
        (0.1 if number % 2 else 1e-5) * draw.standard_normal(round(length * RATE))
        for number, length in enumerate(seconds)
    ]
    return np.concatenate(parts).astype(np.float32)


def said(syllables: float, *, pause: bool = False) -> WrittenWord:
    return WrittenWord(0, 0, syllables, pause)


def places(pcm: Float32, *words: WrittenWord) -> list[tuple[float, float]]:
    return word_times(pcm, RATE, words)


def test_words_with_a_silence_between_them_end_and_begin_at_it() -> None:
    heard = places(bursts(0.2, 0.5, 0.3, 0.4, 0.2), said(2.0, pause=True), said(2.0))
    assert heard == [pytest.approx((0.2, 0.7), abs=0.02), pytest.approx((1.0, 1.4), abs=0.02)]


def test_a_silence_lies_where_one_would_pause() -> None:
    """Not behind the second word, where the lengths alone would have it."""
    words = [said(1.0), said(1.0), said(1.0, pause=True), said(1.0)]
    heard = places(bursts(0.0, 0.5, 0.2, 0.4), *words)
    assert heard[2][1] == pytest.approx(0.5, abs=0.02)
    assert heard[3][0] == pytest.approx(0.7, abs=0.02)


@pytest.mark.parametrize("pause", [False, True])
def test_the_last_word_is_longer_whether_a_pause_follows_or_not(pause: bool) -> None:
    heard = places(bursts(0.0, 0.96), said(1.0), said(1.0, pause=pause))
    assert heard[1][0] == pytest.approx(0.96 / 2.4, abs=0.04)


def test_an_edge_moves_to_the_quiet_moment_near_by() -> None:
    heard = places(bursts(0.0, 0.36, 0.04, 0.4), said(1.0), said(1.0))
    assert heard[1][0] == pytest.approx(0.38, abs=0.03)


@pytest.mark.parametrize("pcm", [np.zeros(2400, np.float32), np.zeros(10, np.float32), bursts(0.0, 0.05)])
def test_more_words_than_sound_have_places_in_order(pcm: Float32) -> None:
    edges = [at for place in word_times(pcm, RATE, [said(1.0, pause=True)] * 20) for at in place]
    assert edges == sorted(edges)
    assert max(edges) <= len(pcm) / RATE
