"""Punctuation marks, and steps that tidy them, shared by both sets of rules (docs/model.md 9.1). Works on
strings only."""

from __future__ import annotations

import re

SENTENCE_ENDS = "。？！.?!"
PUNCTUATION = SENTENCE_ENDS + "；：、;:，,"
_HANZI = re.compile("[\u4e00-\u9fff]")
_MARK = f"[{re.escape(PUNCTUATION)}]"


def has_hanzi(text: str) -> bool:
    """Returns whether `text` has a Hanzi of the main block (U+4E00 to U+9FFF), so that the Chinese rules read
    it."""
    return _HANZI.search(text) is not None


def tidy_punctuation(text: str) -> str:
    """Step 7: keeps only the last mark of each run of punctuation, removes # and turns exclamation marks into
    full stops."""
    text = re.sub(f"{_MARK}(?={_MARK})", "", text)
    return text.replace("#", "").replace("！", "。").replace("!", ".")


def close_sentence(text: str) -> str:
    """Step 8: returns `text` with a question mark or a full stop at its end. A full stop replaces any other
    mark there. An empty text becomes one full stop."""
    if not text:
        return "."
    if text[-1] in "？?":
        return text
    stop = "。" if has_hanzi(text) else "."
    return (text[:-1] if text[-1] in PUNCTUATION else text) + stop
