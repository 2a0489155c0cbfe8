"""The lexicon: which words it finds, and what it does to them."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from speech_text import Lexicon, LexiconEntry, ReadingOptions, TextError, TextFrontend

CHONGQING = "<|CH|><|ONG2|><|Q|><|ING4|>"
WORDS = [
    LexiconEntry("重庆", reading="chong2 qing4"),
    LexiconEntry("重庆市", replacement="山城"),
    LexiconEntry("GLM", replacement="智谱模型"),
    LexiconEntry("AI", replacement="人工智能"),
    LexiconEntry("行长", reading="hang2 zhang3", context="银行"),
    LexiconEntry("3D", replacement="三维"),
]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("我在重庆。", f"我在{CHONGQING}。"),
        ("我在重庆市。", "我在山城。"),  # the longest word
        ("重重庆庆", f"重{CHONGQING}庆。"),
        ("用GLM说话，GLMs不算", "用智谱模型说话，glms不算。"),
        ("AI and MAIN and AI2 是三个词", "人工智能and main and ai二是三个词。"),
        ("银行的行长来了。行长走了。", "银行的<|H|><|ANG2|><|ZH|><|ANG3|>来了。行长走了。"),
        ("看3D电影，13D不算", "看三维电影，十三d不算。"),
        ("[[重庆|zhong4 qing4]]和重庆", f"<|ZH|><|ONG4|><|Q|><|ING4|>和{CHONGQING}。"),
    ],
)
def test_words_of_the_lexicon_are_said_as_it_says(frontend: TextFrontend, text: str, spoken: str) -> None:
    (segment,) = frontend.read(text, ReadingOptions(lexicon=WORDS)).segments
    assert segment.spoken == spoken


def test_its_changes_are_told_from_those_of_the_rules(frontend: TextFrontend) -> None:
    reading = frontend.read("重庆有3个人，都在用GLM写字。", ReadingOptions(lexicon=WORDS))
    assert [(one.written, one.said, one.start, one.rule) for one in reading.changes] == [
        ("重庆", "CH ONG2 Q ING4", 0, "lexicon"),
        ("3", "三", 3, "number"),
        ("GLM", "智谱模型", 10, "lexicon"),
    ]


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ([], "must be an object"),
        ({"reading": "a1"}, "needs a word"),
        ({"word": "。", "reading": "a1"}, "needs a word"),
        ({"word": "重庆"}, "either reading"),
        ({"word": "重庆", "reading": "a1", "replacement": "a"}, "either reading"),
        ({"word": "重庆", "reading": "chong9"}, "'chong9' is no pinyin"),
        ({"word": "重庆", "reading": 3}, "needs reading to be text"),
        ({"word": "重" * 51, "reading": "a1"}, "1 to 50 characters"),
        ({"word": "重庆", "speling": "a"}, "has no 'speling'"),
    ],
)
def test_what_is_no_entry_is_named(fields: object, names: str) -> None:
    with pytest.raises(TextError, match=names):
        Lexicon().entry(fields)


def cpu_s(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began


FIFTY = [LexiconEntry("的" * n, replacement="地", context="银") for n in range(1, 51)]


def test_words_are_not_looked_for_once_the_client_has_left(frontend: TextFrontend) -> None:
    n_checks = 0

    def leave() -> None:
        nonlocal n_checks
        n_checks += 1
        raise TimeoutError

    read = partial(frontend.read, "的" * 20_000, ReadingOptions(lexicon=FIFTY))

    def left() -> None:
        with pytest.raises(TimeoutError):
            read(check=leave)

    left_s, whole_s = cpu_s(left), cpu_s(read)
    assert left_s < whole_s / 10
    assert n_checks == 1


@pytest.mark.parametrize(
    "entry",
    [LexiconEntry("的", reading="a1 " * 66), LexiconEntry("的", replacement="字" * 200)],
    ids=["reading", "replacement"],
)
def test_a_lexicon_that_makes_a_text_too_long_is_refused_before_it_has_grown(
    cache_dir: Path, entry: LexiconEntry
) -> None:
    frontend = TextFrontend(cache_dir=cache_dir, max_characters=1000)

    def refused(n_chars: int) -> None:
        with pytest.raises(TextError, match=r"words of the lexicon .* at most 2000 are possible"):
            frontend.read("的" * n_chars, ReadingOptions(verbatim="read", lexicon=[entry]))

    refused(1000)  # what is read loads
    long_s, short_s = cpu_s(lambda: refused(40_000)), cpu_s(lambda: refused(1000))
    assert long_s < 10 * short_s
