"""The field `pauses`."""

from __future__ import annotations

import pytest

from glm_tts_api.errors import InvalidField
from glm_tts_api.longform.cast import read_pauses


def test_pauses_are_set_by_kind_and_grow_with_what_ends() -> None:
    pauses = read_pauses('{"paragraph": 0.65}')
    assert pauses.after("paragraph") == 0.65
    pauses = read_pauses({"chapter": 3})
    assert pauses.after("paragraph", ends_chapter=True) == 3
    assert (
        pauses.after("verse") < pauses.after("item") < pauses.after("paragraph") < pauses.after("heading") < 3
    )


@pytest.mark.parametrize(
    ("piece", "seconds"),
    [
        ("雪下了一夜。", 0.6),
        ("“走吧！”", 0.6),
        ('He said: "Go."', 0.6),
        ("雪停了，", 0.3),
        ("the rope;", 0.3),
        ("the rope", 0),
    ],
)
def test_pieces_of_a_paragraph_are_apart_by_what_ends(piece: str, seconds: float) -> None:
    assert read_pauses({"sentence": 0.6}).within(piece) == seconds


@pytest.mark.parametrize(
    "data",
    [
        "{",
        "[" * 100_000,
        "[]",
        '{"line": 1}',
        '{"item": -1}',
        '{"item": 10.5}',
        '{"item": true}',
        '{"item": NaN}',
    ],
)
def test_other_pauses_are_refused(data: str) -> None:
    with pytest.raises(InvalidField, match="seconds from 0 to 10"):
        read_pauses(data)
