"""The published steps for Chinese text (docs/model.md 9.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from speech_text.chinese import replace_words, spell_first_power, tidy_chinese
from speech_text.places import Placed


def published_chinese(
    text: Placed, normalize: Callable[[Placed], Placed], replacements: Iterable[tuple[str, str]]
) -> Placed:
    """Returns `text`, which has Hanzi in it, with its numbers and symbols written as Chinese words. Case,
    spaces and punctuation are tidied later. `normalize` runs the transducers, and `replacements` are the
    user's pairs of old and new text."""
    text = spell_first_power(text).sub(r"(?<=\d)\s*-\s*(?=\d)", "减").sub("-", "")
    return tidy_chinese(normalize(replace_words(text, replacements)))
