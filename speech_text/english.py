"""English number words, shared by both sets of rules (docs/model.md 9.1, E6)."""

from __future__ import annotations

ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_THOUSANDS = (
    *("", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion", "sextillion"),
    *("septillion", "octillion", "nonillion", "decillion"),
)


def number_words(digits: str) -> str:
    """Returns a string of digits as an English cardinal number ("twelve thousand, three hundred and
    forty-five"). A number of more than 36 digits is read digit by digit."""
    significant = digits.lstrip("0")
    if len(significant) > 3 * len(_THOUSANDS):
        return " ".join(ONES[int(digit)] for digit in digits)
    number = int(significant or "0")
    if number < 100:
        return _below_hundred(number)
    parts = [(number // 1000**power % 1000, scale) for power, scale in enumerate(_THOUSANDS)]
    *lead, last = [f"{_below_thousand(group)} {scale}".rstrip() for group, scale in reversed(parts) if group]
    if 0 < number % 1000 < 100:  # "one thousand and one", but "one thousand, one hundred and one"
        return f"{', '.join(lead)} and {last}"
    return ", ".join([*lead, last])


def _below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    parts = ([f"{ONES[hundreds]} hundred"] if hundreds else []) + ([_below_hundred(rest)] if rest else [])
    return " and ".join(parts)


def _below_hundred(number: int) -> str:
    if number < 20:
        return ONES[number]
    tens, ones = divmod(number, 10)
    return TENS[tens] + (f"-{ONES[ones]}" if ones else "")
