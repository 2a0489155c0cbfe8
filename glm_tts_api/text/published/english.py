"""The published English path (docs/model.md 9.1, E1 to E7). Knows strings and a normaliser handed in."""

from __future__ import annotations

import re
from collections.abc import Callable

from glm_tts_api.text.english import spell_digits

_PRODUCT = re.compile(r"([0-9a-zA-Z]\)?)\s*\*\s*(?=\(?[0-9a-zA-Z])")
_MARKS = ".,!?':;"


def published_english(text: str, normalize: Callable[[str], str]) -> str:
    """`text` (without Hanzi) as the published front end reads it, before spaces and marks are tidied."""
    text = normalize(text.replace("'", "’"))  # the transducer takes the typographic apostrophe only
    text = re.sub(r"[()（）【】「」`《》『』{}\[\]]", "", text)
    text = _PRODUCT.sub(r"\1multiply", text).replace("*", "")
    text = text.replace("—", " ").replace("’", "'")
    return tidy_english(spell_digits(text))


def tidy_english(text: str) -> str:
    """E7: lower case, word characters and seven marks only, each mark followed by one space."""
    text = re.sub(r"\s+", " ", text)
    text = re.sub(rf"[^\w\s{_MARKS}]", "", text).lower()
    text = re.sub(rf"([{_MARKS}])\1+", r"\1", text)
    return re.sub(rf"(?:(?<!\s)\s+)?([{_MARKS}])\s*", r"\1 ", text).strip()
