"""The lists of English words (lists_en.tsv), and the names of the months."""

from __future__ import annotations

import re

from speech_text.default.data import lists

LISTS = lists("lists_en.tsv")
SHORT_MONTH = "(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)"
MONTH = (
    f"(?:January|February|March|April|May|June|July|August|September|October|November|December|{SHORT_MONTH})"
)


def any_of(name: str) -> str:
    """Returns a regular expression for the words of a list. In a word _ is a blank, * stands for more
    letters, and (s) for an s that may be missing."""
    words = "|".join(map(re.escape, LISTS[name]))
    return "(?:" + words.replace(r"\*", r"\w*").replace(r"\(s\)", "s?").replace("_", " ") + ")"
