"""What was written for each segment: all of the text, in order, and its words."""

from __future__ import annotations

import pytest

from speech_text import ReadingOptions, TextFrontend, Written
from tests.speech_text.readings.accepted import sentences

LONG = (
    "他说：“今天是2024年5月1日，气温是23.5°C。我们[[重庆|chong2 qing4]]去公园吧！”"
    "然后，Tom走了，他走了很远很远的路。\n\n"
    '第二章\n\n“你好。”她说。Dr. Smith said "It costs $3.50, or 10% less." '
    "We have 3-5 items at 10:30 a.m. on May 1st."
)


def words_of(written: Written) -> list[str]:
    return [written.text[word.start : word.end] for word in written.words]


def test_a_figure_is_one_word_and_has_the_length_in_which_it_is_said(frontend: TextFrontend) -> None:
    (written,) = frontend.read("气温是23.5°C，很好😀。").written()
    assert written.text == "气温是23.5°C，很好😀。"
    assert words_of(written) == ["气", "温", "是", "23.5°C", "很", "好"]
    syllables = {written.text[word.start : word.end]: word.syllables for word in written.words}
    assert (syllables["气"], syllables["23.5°C"]) == (1.0, 8.0)  # 二十三点五摄氏度
    assert [word.pause for word in written.words] == [False, False, False, True, False, True]


def test_segments_are_cut_where_their_words_begin(frontend: TextFrontend) -> None:
    """Quotes that open go with what they open; marks are left out; paragraphs are told apart."""
    first, *_, last = frontend.read(LONG).written()
    assert first.text.startswith("他说：“今天是2024年5月1日，")
    assert "重庆" in words_of(first)
    assert last.text.endswith("on May 1st.")
    assert last.paragraph > first.paragraph
    joined = "".join(written.text for written in frontend.read(LONG).written())
    assert "".join(joined.split()) == "".join(LONG.replace("[[重庆|chong2 qing4]]", "重庆").split())


@pytest.mark.parametrize("use_phoneme", [False, True])
def test_every_text_is_there_once_and_its_words_do_not_overlap(
    frontend: TextFrontend, use_phoneme: bool
) -> None:
    """200 sentences of every kind, by threes."""
    some = sentences()[::5][:200]
    for first in range(0, len(some), 3):
        text = " ".join(one.text for one in some[first : first + 3])
        made = frontend.read(text, ReadingOptions(use_phoneme)).written()
        assert "".join("".join(one.text for one in made).split()) == "".join(text.split())
        for written in made:
            places = [at for word in written.words for at in (word.start, word.end)]
            assert places == sorted(places)
            assert all(word.start < word.end and word.syllables > 0 for word in written.words)
