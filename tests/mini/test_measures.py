"""What the evaluation of a checkpoint counts as an error, an early stop, a length and a melody."""

import numpy as np
import pytest

from scripts.mini.measures import Alignment, align, speech_seconds, words
from scripts.mini.melody import pitch_correlation


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


def test_a_slower_reading_in_a_higher_voice_has_the_same_melody() -> None:
    generator = np.random.default_rng(1)
    mel = generator.standard_normal((60, 80)).astype(np.float32)
    log_f0 = np.log(150 + 40 * np.sin(np.arange(60) / 5)).astype(np.float32)
    reading = np.column_stack([mel, log_f0])
    slower = np.repeat(np.column_stack([mel, log_f0 + 0.5]), 2, axis=0)
    flat = np.column_stack([mel, np.log(150) + 0.01 * generator.standard_normal(60).astype(np.float32)])
    assert pitch_correlation(slower, reading) > 0.99
    assert abs(pitch_correlation(flat, reading)) < 0.5
