"""Dialogue: who speaks which line. The field `pauses`."""

from __future__ import annotations

import pytest

from glm_tts_api.errors import InvalidField
from glm_tts_api.longform.cast import read_cast, read_pauses
from glm_tts_api.longform.reading import read_book

CAST = read_cast('{"旁白": "exampleA", "小王": "exampleB", "Tom": "exampleC"}')


def spoken(text: str, cast: dict[str, str]) -> list[tuple[str | None, str]]:
    book = read_book(text, "", cast)
    return [(block.voice, block.text) for chapter in book.chapters for block in chapter.blocks]


def test_a_line_is_said_in_the_voice_of_its_name() -> None:
    text = (
        "第一章 早\n天亮了。\n小王：早！\ntom (softly): Good morning.\n小李：你们好。\n小王说：走吧。\n再见。"
    )
    assert spoken(text, CAST) == [
        ("exampleA", "第一章 早"),
        ("exampleA", "天亮了。"),
        ("exampleB", "早！"),
        ("exampleC", "Good morning."),
        ("exampleA", "小李：你们好。"),
        ("exampleA", "小王说：走吧。"),
        ("exampleA", "再见。"),
    ]


def test_a_name_alone_speaks_the_line_below() -> None:
    assert spoken("小王：\n\n早！\n\n走吧。", CAST) == [("exampleB", "早！"), ("exampleA", "走吧。")]


def test_without_a_narrator_other_lines_have_the_voice_of_the_book() -> None:
    assert spoken("小王：早！\n天亮了。", {"小王": "b"}) == [("b", "早！"), (None, "天亮了。")]
    assert spoken("It is morning.", {"Narrator": "a"}) == [("a", "It is morning.")]


@pytest.mark.parametrize(
    "cast",
    [
        "{",
        "[" * 100_000,
        "[]",
        '{"": "a"}',
        '{"a:b": "a"}',
        '{"小王": 1}',
        '{"小王": " "}',
        {str(n): "a" for n in range(201)},
    ],
)
def test_a_cast_that_is_none_is_refused(cast: str | dict[str, object]) -> None:
    with pytest.raises(InvalidField, match=r"cast .*exampleA") as refused:
        read_cast(cast)
    assert refused.value.param == "cast"


def test_pauses_are_set_by_kind() -> None:
    assert read_pauses('{"paragraph": 0.65}').after("paragraph") == 0.65
    assert read_pauses({"chapter": 3}).after("paragraph", ends_chapter=True) == 3


@pytest.mark.parametrize(
    "seconds",
    ["", "[" * 100_000, "[]", '"line": 1', '"item": -1', '"item": 10.5', '"item": true', '"item": NaN'],
)
def test_other_pauses_are_refused(seconds: str) -> None:
    with pytest.raises(InvalidField, match="seconds from 0 to 10"):
        read_pauses(f"{{{seconds or '{'}}}")
