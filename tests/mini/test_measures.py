"""Errors and lengths, as the evaluation of a checkpoint counts them."""

import numpy as np
import pytest

from mini.measures import n_errors, speech_seconds, syllables, words


def test_errors_are_words_that_are_wrong_left_out_or_more_than_wanted() -> None:
    text, errors = ["we", "walked", "along", "the", "river"], {"we walked along the river and and": 2}
    errors |= {"we walked along the river": 0, "we talked along the river": 1, "along the river": 2, "": 5}
    assert {heard: n_errors(text, heard.split()) for heard in errors} == errors


def test_the_same_words_however_they_are_written() -> None:
    assert words("At 7 o’clock, the well-known man.") == words("at seven o'clock the well known man")
    assert syllables("她在3楼。") == syllables("他在三楼")
    assert syllables("买") == syllables("卖")
    assert syllables("买", tones=True) != syllables("卖", tones=True)


def test_silence_around_speech_has_no_length() -> None:
    tone = np.sin(np.arange(24000) * 0.05).astype(np.float32)
    assert speech_seconds(np.pad(tone, 12000)) == pytest.approx(1.0, abs=0.001)
    assert speech_seconds(np.zeros(0, np.float32)) == 0
