"""Texts made to take long: none is read in more than linear time, or holds other threads up for long.

bench/text_torture.py reads more of them (`scripts/test.sh long`) and prints what they take: a
second, and a tenth of one, at most. The bounds here are ten times that; a quadratic rule is far beyond them.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from bench.text_torture import LENGTH, TOKENIZER, Reading, grown, read
from bench.torture_texts import Torture, tortures
from glm_tts_api.model.tokenizer import TextTokenizer
from speech_text import TextFrontend


@pytest.fixture(scope="module")
def tokenizer() -> TextTokenizer:
    return TextTokenizer.from_dir(TOKENIZER)


@pytest.fixture(params=["default", pytest.param("published", marks=pytest.mark.long)])
def door(request: pytest.FixtureRequest, frontend: TextFrontend, published: TextFrontend) -> TextFrontend:
    either = frontend if request.param == "default" else published
    either.prepare("行长说了3 words", use_phoneme=True)  # jieba and pypinyin load
    return either


def assert_bearable(reading: Reading) -> None:
    assert reading.seconds < 10, reading
    assert reading.pause_s < 1, reading


def test_texts_that_repeat_themselves_are_read_in_time(door: TextFrontend, tokenizer: TextTokenizer) -> None:
    for text in itertools.islice(tortures(seed=1, count=8, length=LENGTH), 8):
        assert_bearable(read(text, door, tokenizer))


def test_marks_ssml_lexicons_and_blocks_of_unicode_are_read_in_linear_time(
    cache_dir: Path, tokenizer: TextTokenizer
) -> None:
    frontend = TextFrontend(cache_dir=cache_dir, max_characters=LENGTH)
    frontend.prepare("行长说了3 words", use_phoneme=True)
    quarters, wholes = (list(tortures(seed=1, count=0, length=n)) for n in (LENGTH // 8, LENGTH // 2))
    pairs = list(zip(quarters, wholes, strict=True))
    lexicons = [pair for pair in pairs if pair[0].lexicon]
    assert lexicons
    for quarter, whole in (*pairs[::24], *lexicons):
        reading = grown(quarter, whole, frontend, tokenizer)
        assert reading.seconds < 2, reading
        assert reading.growth < 2, reading


@pytest.mark.parametrize(
    "unit",
    ["1", "13812345678", "\u0323\u0302", "\uff9e\u0301", "\u0323\u200d\u0302", "Ω", "3/4", "（"],
    ids=ascii,
)
@pytest.mark.parametrize("start", ["中", "a "], ids=ascii)
def test_what_once_took_long_is_read_in_time(
    door: TextFrontend, tokenizer: TextTokenizer, start: str, unit: str
) -> None:
    assert_bearable(read(Torture((start + unit * LENGTH)[:LENGTH]), door, tokenizer))


@pytest.mark.parametrize("line", ["a\n\n", "1. a\n", "ⅣⅫ", "雪\n\n"], ids=ascii)
def test_a_part_that_is_repeated_is_read_once(frontend: TextFrontend, line: str) -> None:
    def n_checks(text: str) -> int:
        calls: list[None] = []
        frontend.read(text, check=lambda: calls.append(None))
        return len(calls)

    story = "The old man walked down to the river, and he sat there for 2 hours. " * 300
    assert n_checks((line * 20000)[:20000]) < 10 * n_checks(story)
