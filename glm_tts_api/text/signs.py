"""Marks and what they close, under both sets of rules (docs/model.md 9.1). Knows strings only."""

from __future__ import annotations

import re

SENTENCE_ENDS = "。？！.?!"
PUNCTUATION = SENTENCE_ENDS + "；：、;:，,"
_HANZI = re.compile("[\u4e00-\u9fff]")
_MARK = f"[{re.escape(PUNCTUATION)}]"


def has_hanzi(text: str) -> bool:
    """The test that picks the Chinese path."""
    return _HANZI.search(text) is not None


def tidy_punctuation(text: str) -> str:
    """Step 7: of a run of marks the last one survives; exclamation marks become full stops."""
    text = re.sub(f"{_MARK}(?={_MARK})", "", text)
    return text.replace("#", "").replace("！", "。").replace("!", ".")


def close_sentence(text: str) -> str:
    """Step 8: the text ends with a question mark or a full stop; nothing at all becomes one full stop."""
    if not text:
        return "."
    if text[-1] in "？?":
        return text
    stop = "。" if has_hanzi(text) else "."
    return (text[:-1] if text[-1] in PUNCTUATION else text) + stop
