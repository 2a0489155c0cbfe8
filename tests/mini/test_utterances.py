"""Joined utterances and copies at another pace, from which the language model learns besides whole ones."""

import random

import numpy as np
import pytest

from mini.codes import at_pace
from mini.utterances import Spoken, cuts, spliced
from mini.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary()


def spoken(text: str, language: str, first_code: int, vocabulary: Vocabulary) -> Spoken:
    """Four codes for each character, in order."""
    ids, spans = vocabulary.encode_with_characters(text)
    places = (np.arange(4 * len(text)) / 4).astype(np.float32)
    codes = np.arange(first_code, first_code + len(places), dtype=np.int16)
    return Spoken(text, language, "someone", ids, codes, places, spans)


def test_a_text_is_cut_before_words_where_no_tone_can_change() -> None:
    assert cuts("we walk home.", "en") == [3, 8]
    assert cuts("今天我们出去", "zh") == [2, 4]
    assert cuts("我买书", "zh") == []  # 我 and 买 have the third tone
    assert cuts("他不去", "zh") == [1]  # 不 before 去 has another tone than before other words


@pytest.mark.parametrize(
    ("left", "right", "language"),
    [
        ("the small dog runs home.", "my sister buys a red car.", "en"),
        ("今天我们出去吃饭。", "他们明天上班，后天休息。", "zh"),
    ],
)
def test_the_codes_of_a_joined_text_are_those_of_its_words(
    left: str, right: str, language: str, vocabulary: Vocabulary
) -> None:
    rng = random.Random(1)
    one, other = spoken(left, language, 0, vocabulary), spoken(right, language, 1000, vocabulary)
    texts = set()
    for _ in range(20):
        joined = spliced(one, other, vocabulary, rng)
        sources = [left[code // 4] if code < 1000 else right[(code - 1000) // 4] for code in joined.codes]
        assert sources == [joined.text[int(place)] for place in joined.char_place]
        assert b"".join(vocabulary.ranks[i] for i in joined.text_ids).decode() == joined.text
        texts.add(joined.text)
    assert len(texts) > 3


def test_a_copy_at_another_pace_has_whole_tokens_and_the_same_course() -> None:
    course = np.sin(np.arange(400) / 30).astype(np.float16)[:, None].repeat(80, 1)
    for pace, tokens in ((0.8, 125), (1.25, 80)):
        copy = at_pace(course, pace).numpy()
        assert copy.shape == (4 * tokens, 80)
        expected = np.interp((np.arange(4 * tokens) + 0.5) * pace - 0.5, np.arange(400), course[:, 0])
        np.testing.assert_allclose(copy[:, 0], expected, atol=0.02)
