"""The published steps for Chinese text (docs/model.md 9.1). Works on strings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from speech_text.chinese import replace_words, spell_first_power, tidy_chinese


def published_chinese(
    text: str, normalize: Callable[[str], str], replacements: Iterable[tuple[str, str]]
) -> str:
    """Returns `text`, which has Hanzi in it, with its numbers and symbols written as Chinese words. Case,
    spaces and punctuation are tidied later. `normalize` runs the transducers, and `replacements` are the
    user's pairs of old and new text."""
    text = spell_first_power(text)
    text = re.sub(r"(?<=\d)\s*-\s*(?=\d)", "减", text).replace("-", "")
    return tidy_chinese(normalize(replace_words(text, replacements)))
