"""Sentences out of a text that comes in pieces."""

from __future__ import annotations

import itertools
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech_text import Pauses, SentenceSplitter
from speech_text.blocks import block_ends

WORDS = st.sampled_from(
    [
        *("今天天气很好", "我们去公园", "三点", "你好", "的", "Hello there", "the weather is fine"),
        *("Dr", "U.S", "e.g", "3.14", "1,000,000", "12:30", "2024", "v2.0", "100%"),
        *("https://example.com/a?b=1.5,2", "me@example.org"),
        *'。！？，….!?,:; \n”"😀é',
        *("\n\n", "**"),
    ]
)
TEXTS = st.lists(WORDS, max_size=80).map("".join)


def sentences(*pieces: str) -> list[str]:
    splitter = SentenceSplitter()
    whole = [sentence for piece in pieces for sentence in splitter.push(piece)]
    return [*whole, splitter.flush()]


@given(TEXTS, st.data())
def test_however_the_text_comes_the_sentences_are_those_of_the_whole(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=20)))
    pieces = [text[start:end] for start, end in itertools.pairwise([0, *cuts, len(text)])]
    assert sentences(*pieces) == sentences(text) == sentences(*text)


@given(st.one_of(TEXTS, st.text()))
def test_nothing_is_lost_or_doubled(text: str) -> None:
    assert "".join(sentences(*text)) == text


@given(TEXTS)
def test_no_word_number_or_address_is_cut(text: str) -> None:
    for before, after in itertools.pairwise(sentences(text)):
        if after and not before.endswith("\n"):
            assert not (before[-1].isalnum() and after[0].isalnum()), (before, after)
            assert not (before[-1] in ".,:;?!" and after[0].isascii() and after[0].isalnum()), (before, after)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("今天天气很好。我们去公园吧！好的", ["今天天气很好。", "我们去公园吧！", "好的"]),
        ("你好！很高兴见到你。再见", ["你好！很高兴见到你。", "再见"]),  # a word by itself waits for the next
        ("他说：“今天下雨了。”然后走了。", ["他说：“今天下雨了。”", "然后走了。"]),
        (
            'He went out of the house. "Come back," she said.',
            ["He went out of the house. ", '"Come back," she said.'],
        ),
        ('She said "It is raining." Then she left.', ['She said "It is raining." ', "Then she left."]),
        ("It is all done (at last.) Now we rest.", ["It is all done (at last.) ", "Now we rest."]),
        (
            "The first one is done. **The second** is not.",
            ["The first one is done. ", "**The second** is not."],
        ),
        ("这是真的吗？！当然是真的。", ["这是真的吗？！", "当然是真的。"]),
        ("圆周率大约是3.14159，不是3.2。", ["圆周率大约是3.14159，不是3.2。"]),
        ("It costs 1,234.56 dollars. That is a lot.", ["It costs 1,234.56 dollars. ", "That is a lot."]),
        (
            "Yesterday Dr. Smith met J. Doe. They talked.",
            ["Yesterday Dr. Smith met J. Doe. ", "They talked."],
        ),
        ("Is it finished already? Yes!", ["Is it finished already? ", "Yes!"]),
        ("See https://example.com/a?b=1. It is there.", ["See https://example.com/a?b=1. ", "It is there."]),
        ("Many things, e.g. This one. And that.", ["Many things, e.g. This one. ", "And that."]),
        ("第一项很重要\n第二项也是", ["第一项很重要\n", "第二项也是"]),
        ("A heading of some words\n\nThen text", ["A heading of some words\n\n", "Then text"]),
    ],
)
def test_sentences_of_texts_as_they_are_written(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize("clause", ["这个句子有很多很多的分句，", "and then there was one more of them, "])
def test_of_a_sentence_without_end_a_clause_will_do(clause: str) -> None:
    *whole, _ = sentences(clause * 40)
    assert len(whole) > 2
    assert all(sentence.endswith(clause) for sentence in whole)


def test_a_sentence_is_there_as_soon_as_the_next_one_begins() -> None:
    splitter = SentenceSplitter()
    assert splitter.push("今天天气很好") == splitter.push("。") == []
    assert splitter.push("我") == ["今天天气很好。"]
    assert (splitter.flush(), splitter.flush()) == ("我", "")


@pytest.mark.parametrize(
    "text",
    [
        "江南的春天来得很早。雨也下得很早。\n\n那里的人们在河边走。\n他们说着话，看着花。",
        "# 江南的春天来了\n江南的春天来得很早。\n- 先去河边看看花\n- 再去听一听雨声\n\n天黑了就都回家去。",
        "第一章 江南的春天\n\nSpring came early to the south. It rained.\n\nThey walked by the river.\n",
        "床前明月光照人\n疑是地上霜满天\n举头望明月在上\n低头思故乡在远",
    ],
    ids=["paragraphs", "a heading and items", "a chapter", "verse"],
)
def test_pieces_pause_as_the_whole_text_does(text: str) -> None:
    splitter = SentenceSplitter()
    pieces = [*splitter.push(text), splitter.flush()]
    assert len(pieces) > 2
    within = [pauses_in(piece) for piece in pieces]  # of lines that are too short to be a piece
    behind = [[pause] if (pause := Pauses().behind(piece)) else [] for piece in pieces[:-1]] + [[]]
    assert [*chain(*chain(*zip(within, behind, strict=True)))] == pauses_in(text)


def pauses_in(text: str) -> list[float]:
    return [Pauses().after(kind) for _, kind in block_ends(text)]
