"""Texts made to take long: none is read in more than linear time, or holds other threads up for long.

scripts/text_torture.py reads a thousand and prints what they take: a second, and a tenth of one, at most. The
bounds here are ten times that; a quadratic rule is far beyond them.
"""

from __future__ import annotations

import pytest

from glm_tts_api.model.tokenizer import TextTokenizer
from glm_tts_api.text.frontend import TextFrontend
from scripts.text_torture import LENGTH, TOKENIZER, Reading, read, torture_texts


@pytest.fixture(scope="module")
def tokenizer() -> TextTokenizer:
    return TextTokenizer.from_dir(TOKENIZER)


@pytest.fixture(params=["default", "published"])
def door(request: pytest.FixtureRequest, frontend: TextFrontend, published: TextFrontend) -> TextFrontend:
    either = frontend if request.param == "default" else published
    either.prepare("行长说了3 words", use_phoneme=True)  # jieba and pypinyin load
    return either


def assert_bearable(reading: Reading) -> None:
    assert reading.seconds < 10, reading
    assert reading.pause_s < 1, reading


def test_texts_that_repeat_themselves_are_read_in_time(door: TextFrontend, tokenizer: TextTokenizer) -> None:
    for text in torture_texts(seed=1, count=60):
        assert_bearable(read(text, door, tokenizer))


@pytest.mark.parametrize(
    "unit",
    ["1", "13812345678", "\u0323\u0302", "\uff9e\u0301", "\u0323\u200d\u0302", "Ω", "3/4", "（"],
    ids=ascii,
)
@pytest.mark.parametrize("start", ["中", "a "], ids=ascii)
def test_what_once_took_long_is_read_in_time(
    door: TextFrontend, tokenizer: TextTokenizer, start: str, unit: str
) -> None:
    assert_bearable(read((start + unit * LENGTH)[:LENGTH], door, tokenizer))
