"""The published Chinese path (docs/model.md 9.1). Knows strings and a normaliser handed in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from glm_tts_api.text.chinese import replace_words, spell_first_power, tidy_chinese


def published_chinese(
    text: str, normalize: Callable[[str], str], replacements: Iterable[tuple[str, str]]
) -> str:
    """`text` (with Hanzi in it) in words, before case, spaces and marks are tidied."""
    text = spell_first_power(text)
    text = re.sub(r"(?<=\d)\s*-\s*(?=\d)", "减", text).replace("-", "")
    return tidy_chinese(normalize(replace_words(text, replacements)))
