"""The published steps for English text (docs/model.md 9.1, E1 to E7)."""

from __future__ import annotations

import re
from collections.abc import Callable

from speech_text.english import number_words
from speech_text.places import Placed

_ENDLESS = re.compile(r"(?P<before>[A-Za-z]?)(?P<digits>[0-9]{25,})(?=(?P<after>[A-Za-z]?))")
_DIGITS = ["oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_PRODUCT = re.compile(r"([0-9a-zA-Z]\)?)\s*\*\s*(?=\(?[0-9a-zA-Z])")
_DIGIT_RUN = re.compile(r"[\d¹²³⁰⁴-⁹₀-₉①-⑨⑴-⑼⒈-⒐⓪⓵-⓽⓿❶-❾➀-➈➊-➒]+")
_MARKS = ".,!?':;"


def published_english(text: Placed, normalize: Callable[[Placed], Placed]) -> Placed:
    """Returns `text`, which has no Hanzi, with its numbers and symbols written as English words. Spaces and
    punctuation are tidied later. `normalize` runs the transducers."""
    text = text.sub(_ENDLESS, _digit_by_digit)
    text = normalize(text.sub("'", "’"))  # the transducer takes the typographic apostrophe only
    text = text.sub(r"[()（）【】「」`《》『』{}\[\]]", "")
    text = text.sub(_PRODUCT, r"\1multiply").sub(r"\*", "").sub("—", " ").sub("’", "'")
    return tidy_english(text.sub(_DIGIT_RUN, _spelt))


def tidy_english(text: Placed) -> Placed:
    """Step E7: returns `text` in lower case, with word characters and seven punctuation marks only, and one
    space after each mark."""
    text = text.sub(r"\s+", " ").sub(rf"[^\w\s{_MARKS}]", "").lower().sub(rf"([{_MARKS}])\1+", r"\1")
    return text.sub(rf"(?:(?<!\s)\s+)?([{_MARKS}])\s*", r"\1 ").strip()


def _spelt(run: re.Match[str]) -> str:
    """Step E6: returns a run of digits, which the transducers have left, as number words."""
    return number_words("".join(filter(str.isdecimal, run[0])) or "0")


def _digit_by_digit(run: re.Match[str]) -> str:
    """Returns a run of 25 digits or more in words, digit by digit, with "oh" for 0. The transducer gives the
    same words, but takes seconds."""
    words = " ".join(_DIGITS[int(digit)] for digit in run["digits"])
    before = f"{run['before']} " if run["before"] else ""
    return f"{before}{words} " if run["after"] else before + words
