"""Punctuation marks, and steps that tidy them, shared by both sets of rules (docs/model.md 9.1)."""

from __future__ import annotations

import re

from speech_text.places import Placed

SENTENCE_ENDS = "。？！.?!"
PUNCTUATION = SENTENCE_ENDS + "；：、;:，,"
_HANZI = re.compile("[\u4e00-\u9fff]")
_MARK = f"[{re.escape(PUNCTUATION)}]"


def has_hanzi(text: str) -> bool:
    """Returns whether `text` has a Hanzi of the main block (U+4E00 to U+9FFF), so that the Chinese rules read
    it."""
    return _HANZI.search(text) is not None


def closed(text: Placed) -> Placed:
    """Steps 7 and 8: keeps only the last mark of each run of punctuation, removes # and turns exclamation
    marks into full stops. Then returns the text with a question mark or a full stop at its end. A full stop
    replaces any other mark there. An empty text becomes one full stop."""
    text = text.sub(f"{_MARK}(?={_MARK})", "").sub("#", "").sub("！", "。").sub("!", ".")
    if text.text[-1:] in ("?", "？"):
        return text
    return text.sub(rf"{_MARK}?\Z", "。" if has_hanzi(text.text) else ".", count=1)
