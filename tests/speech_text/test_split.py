"""Segments: the published weights, and what the published splitter could not do."""

from __future__ import annotations

import pytest

from speech_text.cut.split import split


def test_a_sentence_closes_at_the_first_mark_from_thirty_on() -> None:
    text = "一二三四五六七八九十" * 3 + "，十一。" + "尾"
    assert split(text) == ["一二三四五六七八九十" * 3 + "，", "十一。尾"]


def test_without_marks_it_cuts_after_sixty() -> None:
    assert [len(segment) for segment in split("啊" * 150)] == [60, 60, 30]


def test_a_mark_at_the_cut_stays_with_what_it_closes() -> None:
    assert split("啊" * 29 + "（" + "啊" * 30 + "）。") == ["啊" * 29 + "（" + "啊" * 30, "）。"]
    assert split("啊" * 60 + "。" + "啊" * 5)[0] == "啊" * 60 + "。"


def test_long_words_without_marks_do_not_fail() -> None:
    text = "international " * 40
    assert split(text) == [text]


def test_leading_white_space_does_not_fail() -> None:
    assert split("  leading") == ["leading"]
    assert split("   ") == []


@pytest.mark.parametrize(
    "text", ["a" * 2000, "あいう" * 300, "한국어 " * 200, "สวัสดีครับ" * 100, "नमस्ते " * 100]
)
def test_words_of_any_script_are_cut_to_size(text: str) -> None:
    segments = split(text, words=list)
    assert "".join(segments) == text
    assert max(map(len, segments)) <= 400
    assert len(segments) > 1


def test_words_of_other_letters_fill_a_segment_up_to_its_weight() -> None:
    """0.4 a letter, at most 120: fourteen words of 20 letters and one of 19 (119.6), but none of 21."""
    words, more = ("α" * 20 + " ") * 14, ("β" * 20 + " ") * 14
    assert split(words + "α" * 19 + " " + more, words=list)[0].strip() == words + "α" * 19
    assert split(words + "α" * 21 + " " + more, words=list)[0].strip() == words.strip()


def test_an_unknown_word_s_last_e_is_silent() -> None:
    """A word that no dictionary knows has a syllable for each run of vowels, and 0.7 of a unit for each."""
    words = "blorkne " * 21
    assert split(words + "," * 40)[0] == words + "," * 16  # 21 x 0.7 = 14.7; a segment closes from 30 on
