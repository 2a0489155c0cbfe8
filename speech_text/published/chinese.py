"""The published steps for Chinese text (docs/model.md 9.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from speech_text.chinese import replace_words, tidy_chinese
from speech_text.places import Placed

_DIGITS = "零一二三四五六七八九"
_DIGIT_NAMES = {ord(str(value)): name for value, name in enumerate(_DIGITS)}
_UNITS = ("", "十", "百", "千", "万", "十万", "百万", "千万", "亿", "十亿", "百亿", "千亿")
_POWER = re.compile(r"(-?(?<!\d)\d++(?:\.\d++)?)\s*+[*x×]\s*+(\d++(?:\.\d++)?)\s*+\^\s*(-?\d+(?:\.\d+)?)")


def published_chinese(
    text: Placed, normalize: Callable[[Placed], Placed], replacements: Iterable[tuple[str, str]]
) -> Placed:
    """Returns `text`, which has Hanzi in it, with its numbers and symbols written as Chinese words. Case,
    spaces and punctuation are tidied later. `normalize` runs the transducers, and `replacements` are the
    user's pairs of old and new text."""
    text = _spell_first_power(text).sub(r"(?<=\d)\s*-\s*(?=\d)", "减").sub("-", "")
    return tidy_chinese(normalize(replace_words(text, replacements)))


def _spell_first_power(text: Placed) -> Placed:
    """Step Z1: returns `text` with its first number of the form 3.5*10^8 written as Chinese words. Other
    numbers stay."""

    def words(match: re.Match[str]) -> str:
        factor, base, exponent = match.groups()
        return f"{_read_number(factor)}乘{_read_number(base)}的{_read_number(exponent)}次方"

    return text.sub(_POWER, words, count=1)


def _read_number(number: str) -> str:
    whole, _, decimals = str(float(number)).partition(".")
    if not (whole + decimals).lstrip("-").isdigit():  # too large or too small to print without an exponent
        return number.translate({**_DIGIT_NAMES, ord("-"): "负", ord("."): "点"})
    if not decimals.strip("0"):
        return _integer(int(whole))
    # The sign of -0.5 is lost here, as in the published code: the integer part is 0.
    return _integer(int(whole)) + "点" + decimals.translate(_DIGIT_NAMES)


def _integer(number: int) -> str:
    """Returns `number` in Chinese words as the published rules read it: each digit except 0 has a unit of its
    own, so 120000 is 十万二万. A number of more than 12 digits is read digit by digit."""
    if number == 0:
        return "零"
    if number < 0:
        return "负" + _integer(-number)
    digits = str(number)
    if len(digits) > len(_UNITS):
        return digits.translate(_DIGIT_NAMES)
    out, last_unit = "", ""
    for unit, digit in zip(_UNITS, map(int, reversed(digits)), strict=False):
        if digit:
            out, last_unit = _DIGITS[digit] + unit + out, unit
        elif out and last_unit not in ("万", "亿") and not out.startswith("零"):
            out = "零" + out
    out = out.rstrip("零")
    return out[1:] if out.startswith("一十") else out
