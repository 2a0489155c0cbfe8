"""Chinese rules for bare numbers and for thousands separators."""

from __future__ import annotations

import re

from speech_text.default.chinese import numbers
from speech_text.default.table import Match, Row, after, before

_NUMERALS = frozenset("一二三四五六七八九十")


def without_commas(match: Match) -> str:
    """Returns a number without its thousands separators, in digits. A number of more than 11 digits, or with
    another number directly behind it, is written in Chinese words, since later rules would take its digits
    for a name."""
    number = match.group().replace(",", "")
    return numbers.cardinal(number) if len(number) > 11 or after(match, 1).isdigit() else number


def counted(match: Match) -> str:
    """Returns a bare number in Chinese words; a 2 before a measure word is 两. If a Chinese numeral follows a
    number of several digits, a comma is added between both: the 120 of 90/120六挡."""
    rest = re.sub(r"^ ?[到至] ?\d[\d.]*(点?)", lambda m: m[1] and "个", after(match)).lstrip()
    pause = "，" if len(match.group()) > 1 and rest[:1] in _NUMERALS and rest else ""
    return numbers.counted(match.group(), rest, before(match)) + pause


THOUSANDS: list[Row] = [
    (
        "thousands",
        r"(?:(?<![\d.,])|(?<=,\d{3}))\d{1,3}(?:,\d{3})++(?=(?:1\d|20)\d\d年|\d{1,3},\d{3}|(?!,?\d))",
        without_commas,
    ),
    ("number", r"\d(?<![\d.,].)\d{0,2}(?=(?:1\d|20)(?:\d[1-9]|[1-9]0)年)", without_commas),
]
COUNTS: list[Row] = [
    (
        "leading zero, or very long",
        r"\d(?<![\d.,].)(?:(?<=0)\d++|(?!\d{8,40}000(?!\d))\d{11,}+)(?!\.?\d|,\d{3})",
        lambda m: numbers.digits(m.group()),
    ),
    ("number", r"\d(?<![\d.].)\d{0,29}+(?:\.\d{1,30}+)?", counted),
    ("number", r"\d++", lambda m: numbers.cardinal(m.group())),
    ("day", r"日(?<=[一二三四五六七八九十]日)(?=号)", ""),
]
