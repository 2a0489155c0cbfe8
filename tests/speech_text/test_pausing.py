"""Where a paragraph without marks is cut under the default rules."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech_text import ReadingOptions, TextError, TextFrontend

PIECES = [
    *(
        "今天我们去了一个很远的地方",
        "看见了许多以前从来没有见过的东西",
        "一百二十三万四千五百六十七",
        "但是天气不太好",
    ),
    *(
        "the committee announced its decision ",
        "twenty three thousand five hundred and six ",
        "github点com斜杠zai",
    ),
    *("“引号里的话”", "（括号里的话）", "，", "。", "？", "Konstantinopel ", "然后", "重庆"),
]


def test_a_long_paragraph_is_cut_before_a_clause_or_between_words(frontend: TextFrontend) -> None:
    text = (
        "今天我们去了一个很远的地方看见了许多以前从来没有见过的东西大家都非常高兴"
        "但是天气不太好所以我们很早就回到了酒店里面休息然后吃了晚饭"
    )
    first, second = frontend.prepare(text)
    assert second.startswith(("所以", "然后", "但是"))
    assert first.rstrip("。") + second.rstrip("。") == text


def test_no_word_and_no_number_is_cut(frontend: TextFrontend) -> None:
    words = ["重庆", "火锅", "一百二十三万四千五百六十七", "非常", "喜欢", "葡萄牙"]
    text = "".join(words * 20)
    segments = [segment.rstrip("。") for segment in frontend.prepare(text)]
    assert len(segments) > 5
    assert max(map(len, segments)) <= 61
    assert "".join(segments) == text
    for segment in segments:
        assert segment.startswith(tuple(words)), segment
        assert segment.endswith(tuple(words)), segment


def spoken(segments: list[str]) -> str:
    return "".join(char for char in "".join(segments) if char.isalnum())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=25).map("".join))
def test_nothing_is_lost_or_doubled_and_its_own_output_stays(frontend: TextFrontend, text: str) -> None:
    try:
        segments = frontend.prepare(text)
    except TextError:
        return  # marks alone
    assert spoken(segments) == spoken([frontend.normalize(text)])
    for segment in segments:
        assert spoken(frontend.prepare(segment)) == spoken([segment])


ENGLISH, CHINESE = "the committee announced ", "今天我们看见了"
TOKENS = [
    *("https://github.com/zai-org/GLM-TTS", "jane_doe@mail.com", "v2.3.10", "1,234,567.89", "139 1234 5678"),
    *("antidisestablishmentarianism", "Donaudampfschifffahrtsgesellschaft"),
]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([ENGLISH, CHINESE]), st.lists(st.sampled_from(TOKENS), min_size=4, max_size=16))
def test_a_word_a_number_or_an_address_stays_in_one_segment(
    frontend: TextFrontend, words: str, tokens: list[str]
) -> None:
    text = words + words.join(f"{token} " for token in tokens) + words
    segments = [part.spoken for part in frontend.read(text, ReadingOptions(verbatim="read")).segments]
    for token in tokens:
        alone = frontend.normalize(f"{words}{token} {words}").rstrip("。.")
        said = alone.removeprefix(words).removesuffix(words.strip()).strip()
        assert sum(segment.count(said) for segment in segments) == tokens.count(token), (said, segments)


@pytest.mark.parametrize(
    "text",
    [
        "他说：“今天下雨了。”（真的！）然后走了。" * 5,
        'He said: "It is raining." (Really!) Then he left. ' * 6,
    ],
)
def test_quotes_and_brackets_stay_with_their_sentence(frontend: TextFrontend, text: str) -> None:
    first, *rest = frontend.prepare(text)
    assert first.startswith(("他说", "he said"))
    for segment in rest:
        assert segment.startswith(("他说", "真的", "然后", "he said", "really", "then", "it is", "今天")), (
            segment
        )


def paused(frontend: TextFrontend, text: str) -> list[tuple[str, float]]:
    return [(segment.text, segment.pause_s) for segment in frontend.read(text).segments]


def test_headings_paragraphs_and_items_are_segments_with_pauses_before_the_next(
    frontend: TextFrontend,
) -> None:
    text = "# 标题\n第一段。还是第一段。\n\n第二段。\n- 苹果\n- 梨\n\n床前明月光，\n疑是地上霜。"
    assert paused(frontend, text) == [
        ("标题。", 0.0),
        ("第一段。还是第一段。", 1.0),
        ("第二段。", 0.8),
        ("苹果。", 0.8),
        ("梨。", 0.5),
        ("床前明月光，疑是地上霜。", 0.5),
    ]
    assert paused(frontend, "Chapter One\nIt was morning.") == [
        ("chapter one.", 0.0),
        ("it was morning.", 1.0),
    ]


def test_a_pause_that_is_asked_for_goes_before_that_of_a_paragraph(frontend: TextFrontend) -> None:
    assert paused(frontend, "第一段。\n[[pause 0.3]]\n第二段。") == [("第一段。", 0.0), ("第二段。", 0.3)]
    assert paused(frontend, "[[voice b]]\n第一段。\n[[重庆|chong2 qing4]]\n第二段。") == [
        ("第一段。", 0.0),
        ("重庆。", 0.8),
        ("第二段。", 0.8),
    ]


def test_hard_wrapped_lines_of_a_paragraph_are_not_paused_between(frontend: TextFrontend) -> None:
    text = (
        "The committee announced its decision on the budget after a debate that\n"
        "lasted the whole night, and music filled the empty hall of the old\n"
        "town.\n\nNobody was surprised."
    )
    assert [pause for _, pause in paused(frontend, text) if pause] == [0.8]
