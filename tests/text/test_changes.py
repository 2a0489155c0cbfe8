"""Where a text is said otherwise than it is written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from glm_tts_api.text.changes import changes
from glm_tts_api.text.frontend import TextFrontend

sys.path.insert(0, str(Path(__file__).with_name("readings")))
from accepted import sentences


@pytest.mark.parametrize(
    ("written", "said", "found"),
    [
        ("需要3-5天。", "需要三到五天。", [("3-5", "三到五", 2)]),
        ("气温-5度", "气温负五度。", [("-5", "负五", 2)]),
        ("It costs $9, now", "it costs nine dollars, now.", [("$9", "nine dollars", 9)]),
        ("Good Morning! 你好", "good morning. 你好。", []),
        ("开心😀吗", "开心吗。", [("😀", "", 2)]),
        ("1\n2", "one. two.", [("1\n2", "one. two", 0)]),
    ],
)
def test_a_change_has_its_place(written: str, said: str, found: list[tuple[str, str, int]]) -> None:
    assert [(one.written, one.said, one.start) for one in changes(written, said)] == found


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


def words(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalnum())


def test_what_is_not_read_or_looks_misspelt_is_warned_of(frontend: TextFrontend) -> None:
    assert frontend.read("开心😀💪的一天").warnings == ("Not read: 😀 💪",)
    (warning,) = frontend.read("log in to p\u0430ypal now").warnings  # a Cyrillic a
    assert "Latin and Cyrillic" in warning
    assert frontend.read("Привет, hello, 你好").warnings == ()


@pytest.mark.parametrize(
    ("text", "written", "said", "rule"),
    [
        ("预计3-5天送到。", "3-5", "三到五", "span"),
        ("预计3-5天送到，一共￥39.8元。", "3-5", "三到五", "span"),
        ("一共￥39.8元，还有3个。", "3", "三", "number"),
        ("他得了第2名，去了2次。", "2", "两", "number"),
        ("Call 911 now.", "911", "nine one one", "short telephone number"),
    ],
)
def test_a_change_names_the_kind_of_its_rule(
    text: str, written: str, said: str, rule: str, frontend: TextFrontend
) -> None:
    found = {(one.written, one.said): one.rule for one in frontend.read(text).changes}
    assert found[written, said] == rule, found


def test_the_published_rules_have_no_names(published: TextFrontend) -> None:
    (change,) = published.read("预计35天送到。").changes
    assert (change.written, change.rule) == ("35", None)
