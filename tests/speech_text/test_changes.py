"""Where a text is said otherwise than it is written."""

from __future__ import annotations

import re
import unicodedata

import pytest

from speech_text import Reading, TextFrontend
from tests.speech_text.readings.accepted import sentences

INSIDE_A_WORD = re.compile("[A-Za-z0-9][|][A-Za-z0-9]")


@pytest.fixture(scope="module")
def readings(frontend: TextFrontend) -> list[tuple[str, Reading]]:
    """Every fourth sentence of tests/speech_text/readings, and how it is read."""
    return [(sentence.text, frontend.read(sentence.text)) for sentence in sentences()[::4]]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("气温-5度", [("-5", "负五", 2)]),
        ("Good Morning! 你好", []),
        ("开心😀吗", [("😀", "", 2)]),
        ("1\n2", [("1", "one", 0), ("2", "two", 2)]),
        ("a $9 million loss", [("$9 million", "nine million dollar", 2)]),
        ("iPhone15很好", [("iPhone15", "iphone十五", 0)]),
        ("C++ is", [("C++", "c plus plus", 0)]),
        ("the WHO says", [("WHO", "w h o", 4)]),
        ("$5 million, €4", [("$5 million", "five million dollars", 0), ("€4", "four euros", 12)]),
        ("密度138人/平方公里。", [("138人/平方公里", "每平方公里一百三十八人", 2)]),
        ("all fine – 5 left", [("5", "five", 11)]),
        ("**Buy** 3 [[pause 1]] *now*", [("3", "three", 8)]),
    ],
)
def test_a_change_has_its_place(
    written: str, found: list[tuple[str, str, int]], frontend: TextFrontend
) -> None:
    changes = frontend.read(written).changes
    assert [(change.written, change.said, change.start) for change in changes] == found


def test_what_is_no_change_stays_word_for_word(frontend: TextFrontend) -> None:
    """Taking each change out of both sides leaves the same words, in 200 sentences of every kind."""
    for sentence in sentences()[::5][:200]:
        reading = frontend.read(sentence.text)
        written, said, at = [], reading.text, 0
        for change in reading.changes:
            assert sentence.text.startswith(change.written, change.start), (sentence.text, change)
            assert change.said in said, (sentence.text, change)
            written.append(sentence.text[at : change.start])
            said = said.replace(change.said, " ", 1) if change.said else said
            at = change.start + len(change.written)
        written.append(sentence.text[at:])
        assert len(words(" ".join(written))) == len(words(said)), sentence.text


def test_a_change_is_of_whole_words_figures_or_hanzi(readings: list[tuple[str, Reading]]) -> None:
    for text, reading in readings:
        for change in reading.changes:
            before, behind = text[: change.start], text[change.start + len(change.written) :]
            assert change.written, text
            assert not INSIDE_A_WORD.search(f"{before[-1:]}|{change.written[0]}"), (text, change)
            assert not INSIDE_A_WORD.search(f"{change.written[-1]}|{behind[:1]}"), (text, change)


def test_a_segments_parts_are_its_text_in_the_case_in_which_it_is_written(
    readings: list[tuple[str, Reading]],
) -> None:
    for text, reading in readings:
        shown = ["".join(part.text for part in parts) for parts in reading.parts]
        said = [segment.text for segment in reading.segments]
        assert list(map(folded, shown)) == list(map(folded, said)), text
        written = [part.written for parts in reading.parts for part in parts if part.written]
        assert sorted(written) == sorted(change.written for change in reading.changes), text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("NASA's 2nd try", [["NASA's ", ("2nd", "second"), " try."]]),
        ("the lighthouse [[pause 1]] is 7", [["the lighthouse."], ["is ", ("7", "seven"), "."]]),
        ("[[重庆|chong2 qing4]]3天", [[("重庆", "CH ONG2 Q ING4"), ("3", "三"), "天。"]]),
        ("好😀共3天", [["好", ("😀", ""), "共", ("3", "三"), "天。"]]),
        ("Ask iPhone15很好", [["Ask ", ("iPhone15", "iPhone十五"), "很好。"]]),
    ],
)
def test_parts_show_what_stands_for_what(
    text: str, shown: list[list[object]], frontend: TextFrontend
) -> None:
    parts = [
        [part.text if part.written is None else (part.written, part.text) for part in parts]
        for parts in frontend.read(text).parts
    ]
    assert parts == shown


def test_a_change_that_two_segments_share_is_written_once(frontend: TextFrontend) -> None:
    number = "1" * 80
    first, second = frontend.read(f"电话是{number}。").parts
    assert [part.written for part in first] == [None, number]
    assert second[0].written == ""


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def words(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalnum())


def test_what_is_not_read_or_looks_misspelt_is_warned_of(frontend: TextFrontend) -> None:
    assert frontend.read("开心😀💪的一天").warnings == ("Not read: 😀 💪",)
    (warning,) = frontend.read("log in to p\u0430ypal now").warnings  # a Cyrillic a
    assert "Latin and Cyrillic" in warning
    assert frontend.read("Привет, hello, 你好").warnings == ()


def test_the_published_rules_have_no_names(published: TextFrontend) -> None:
    (change,) = published.read("预计35天送到。").changes
    assert (change.written, change.rule) == ("35", None)
