"""Subtitles: the rules of a cue over any text, and files that others read."""

from __future__ import annotations

import re
from itertools import pairwise

import srt as subrip
import webvtt
from hypothesis import example, given, settings
from hypothesis import strategies as st

from glm_tts_api.longform.subtitles import Cue, TimedText, cues, subtitle_file

CHINESE = (
    "今天我们去了一个很远的地方，看见了许多以前从来没有见过的东西。大家都非常高兴，"
    "但是天气不太好，所以我们很早就回到了酒店里面休息。"
)
WORDS = [
    "今天",
    "看见了许多东西",
    "，",
    "。",
    "“好！”",
    "《红楼梦》",
    "committee ",
    "the ",
    "well, ",
    "end. ",
    "3.14 ",
]
WORDS += ["https://github.com/zai-org/GLM-TTS/blob/main/README.md", "！！！！", "\n", "<i>a & b</i> "]
WORDS += ["啊" * 50, "한국어"]


def shown(pieces: list[TimedText]) -> list[tuple[float, float, str]]:
    return [(cue.start_ms / 1000, cue.end_ms / 1000, "|".join(cue.lines)) for cue in cues(pieces)]


def test_chinese_is_cut_behind_clauses_in_lines_of_twenty() -> None:
    assert [text for _, _, text in shown([TimedText(CHINESE, 0, 13)])] == [
        "今天我们去了一个很远的地方，|看见了许多以前从来没有见过的东西。",
        "大家都非常高兴，但是天气不太好，|所以我们很早就回到了酒店里面休息。",
    ]


def test_a_cue_has_the_time_of_what_it_says() -> None:
    """Halves of a piece that are alike in length of speech have half of its time each."""
    half = "我们今天去了很远的地方，看见了从来没有见过的东西。"
    (_, middle, _), (start, _, _) = shown([TimedText(half * 2, 10, 20)])
    assert (middle, start) == (15, 15)


def test_sentences_of_a_paragraph_share_a_cue_and_paragraphs_never_do() -> None:
    assert shown([TimedText("好。", 0, 0.5), TimedText("走吧。", 0.6, 1.5)]) == [(0, 1.5, "好。走吧。")]
    assert shown([TimedText("Yes.", 0, 0.8), TimedText("Let us go.", 0.8, 2)]) == [(0, 2, "Yes. Let us go.")]
    apart = [TimedText("好。", 0, 1.2, paragraph=1), TimedText("走吧。", 1.4, 2.5, paragraph=2)]
    assert shown(apart) == [(0, 1.2, "好。"), (1.4, 2.5, "走吧。")]


def test_a_short_word_between_long_ones_gets_time_from_its_neighbour() -> None:
    spoken = [
        TimedText(CHINESE[:14], 0, 4, 1),
        TimedText("好。", 4, 4.4, 2),
        TimedText(CHINESE[:14], 4.4, 8, 3),
    ]
    assert [(start, end) for start, end, _ in shown(spoken)] == [(0, 4), (4, 5), (5, 8)]


def test_a_long_pause_ends_a_cue() -> None:
    assert len(shown([TimedText("好，", 0, 1.2), TimedText("走吧。", 4, 5.2)])) == 2


pieces_of_text = st.lists(
    st.tuples(
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=30).map("".join),
        st.floats(0.05, 30),  # seconds that it takes
        st.floats(0, 2),  # of silence before it
        st.booleans(),  # whether a paragraph begins
    ),
    max_size=8,
)


@settings(max_examples=100, deadline=None)
@given(pieces_of_text)
@example([("今天", 2, 0, False), ("今天" * 100, 0.05, 0, False)])  # more cues than milliseconds to spare
def test_the_rules_hold_for_any_text(pieces: list[tuple[str, float, float, bool]]) -> None:
    now, paragraph, spoken = 0.0, 0, list[TimedText]()
    for text, length_s, silence_s, begins in pieces:
        now, paragraph = now + silence_s, paragraph + begins
        spoken.append(TimedText(text, now, now := now + length_s, paragraph))
    made = cues(spoken)
    for cue in made:
        text = "".join(cue.lines)
        limit = 20 if re.search("[\u4e00-\u9fff\uac00-\ud7af]", text) else 42
        assert 1 <= len(cue.lines) <= 2
        assert all(0 < len(line) <= limit and line == line.strip() for line in cue.lines)
        assert cue.start_ms < cue.end_ms <= cue.start_ms + 7000
    assert all(cue.end_ms <= following.start_ms for cue, following in pairwise(made))
    assert_short_ones_had_no_choice(made)
    # The text as written, and no cue with text of two paragraphs.
    letters = [without_blanks("".join(cue.lines)) for cue in made]
    for paragraph in dict.fromkeys(piece.paragraph for piece in spoken):
        rest = without_blanks("".join(piece.text for piece in spoken if piece.paragraph == paragraph))
        while rest:
            cue_text = letters.pop(0)
            assert rest.startswith(cue_text)
            rest = rest.removeprefix(cue_text)
    assert not letters
    assert_others_read_it(spoken, made)


def without_blanks(text: str) -> str:
    return "".join(text.split())


def assert_short_ones_had_no_choice(made: list[Cue]) -> None:
    """Less than a second only where both sides are full, and neither neighbour has more than a second."""
    for before, cue, after in zip(made, made[1:], made[2:], strict=False):
        if cue.end_ms - cue.start_ms < 1000:
            assert before.end_ms == cue.start_ms
            assert cue.end_ms == after.start_ms
            assert all(neighbour.end_ms - neighbour.start_ms <= 1000 for neighbour in (before, after))


def assert_others_read_it(spoken: list[TimedText], made: list[Cue]) -> None:
    subtitles = list(subrip.parse(subtitle_file(spoken, "srt")))
    assert [(sub.index, sub.content) for sub in subtitles] == [
        (number, "\n".join(cue.lines)) for number, cue in enumerate(made, 1)
    ]
    assert [round(sub.start.total_seconds() * 1000) for sub in subtitles] == [cue.start_ms for cue in made]
    captions = webvtt.from_string(subtitle_file(spoken, "vtt")).captions
    assert [(caption.start_in_seconds, caption.end_in_seconds) for caption in captions] == [
        (cue.start_ms // 1000, cue.end_ms // 1000) for cue in made
    ]
    unescaped = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
    assert [re.sub("&(amp|lt|gt);", lambda sign: unescaped[sign[0]], c.raw_text) for c in captions] == [
        "\n".join(cue.lines) for cue in made
    ]
