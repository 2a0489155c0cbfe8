"""Capitals that in small letters are another word."""

from __future__ import annotations

import pytest

from speech_text.frontend import TextFrontend


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("The US beat us again.", "the u s beat us again."),
        ("Send it to IT and let them fix it.", "send it to i t and let them fix it."),
        ("IT says it's down.", "i t says it's down."),
        ("Take US-1 to the beach.", "take u s one to the beach."),
        ("Who are they? WHO officials said no.", "who are they? w h o officials said no."),
        ("DO NOT TELL US ABOUT IT!", "do not tell us about it."),
    ],
)
def test_capitals_with_a_meaning_of_their_own_are_spelled(
    frontend: TextFrontend, text: str, spoken: str
) -> None:
    assert frontend.normalize(text) == spoken
