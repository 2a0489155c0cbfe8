"""Errors, early stops and lengths, as the evaluation of a checkpoint counts them."""

import numpy as np
import pytest

from mini.measures import Alignment, align, speech_seconds, words


@pytest.mark.parametrize(
    ("heard", "errors", "extra", "missing"),
    [
        ("we walked along the river", 0, 0, 0),
        ("we talked along the river", 1, 0, 0),
        ("we walked along the river and and", 2, 2, 0),
        ("we walked along", 2, 0, 2),
        ("along the river", 2, 0, 0),
        ("", 5, 0, 5),
    ],
)
def test_errors_and_how_a_reading_ends(heard: str, errors: int, extra: int, missing: int) -> None:
    reference = ["we", "walked", "along", "the", "river"]
    assert align(reference, heard.split()) == Alignment(errors, 5, extra, missing)


def test_the_same_words_however_they_are_written() -> None:
    assert words("At 7 o’clock, the well-known man.") == words("at seven o'clock the well known man")


def test_silence_around_speech_has_no_length() -> None:
    tone = np.sin(np.arange(24000) * 0.05).astype(np.float32)
    assert speech_seconds(np.pad(tone, 12000)) == pytest.approx(1.0, abs=0.001)
    assert speech_seconds(np.zeros(0, np.float32)) == 0
