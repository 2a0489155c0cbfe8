"""The published steps for English text (docs/model.md 9.1, E1 to E7). Works on strings."""

from __future__ import annotations

import re
from collections.abc import Callable

from speech_text.english import spell_digits

_ENDLESS = re.compile(r"(?P<before>[A-Za-z]?)(?P<digits>[0-9]{25,})(?=(?P<after>[A-Za-z]?))")
_DIGITS = ["oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_PRODUCT = re.compile(r"([0-9a-zA-Z]\)?)\s*\*\s*(?=\(?[0-9a-zA-Z])")
_MARKS = ".,!?':;"


def published_english(text: str, normalize: Callable[[str], str]) -> str:
    """Returns `text`, which has no Hanzi, with its numbers and symbols written as English words. Spaces and
    punctuation are tidied later. `normalize` runs the transducers."""
    text = _ENDLESS.sub(_digit_by_digit, text)
    text = normalize(text.replace("'", "’"))  # the transducer takes the typographic apostrophe only
    text = re.sub(r"[()（）【】「」`《》『』{}\[\]]", "", text)
    text = _PRODUCT.sub(r"\1multiply", text).replace("*", "")
    text = text.replace("—", " ").replace("’", "'")
    return tidy_english(spell_digits(text))


def tidy_english(text: str) -> str:
    """Step E7: returns `text` in lower case, with word characters and seven punctuation marks only, and one
    space after each mark."""
    text = re.sub(r"\s+", " ", text)
    text = re.sub(rf"[^\w\s{_MARKS}]", "", text).lower()
    text = re.sub(rf"([{_MARKS}])\1+", r"\1", text)
    return re.sub(rf"(?:(?<!\s)\s+)?([{_MARKS}])\s*", r"\1 ", text).strip()


def _digit_by_digit(run: re.Match[str]) -> str:
    """Returns a run of 25 digits or more in words, digit by digit, with "oh" for 0. The transducer gives the
    same words, but takes seconds."""
    words = " ".join(_DIGITS[int(digit)] for digit in run["digits"])
    before = f"{run['before']} " if run["before"] else ""
    return f"{before}{words} " if run["after"] else before + words
