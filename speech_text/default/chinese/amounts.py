"""Chinese words for fractions, powers of ten and ordinals, for bare numbers, and for numbers with thousands
separators."""

from __future__ import annotations

import re

from speech_text.default.chinese import numbers
from speech_text.default.number_tagger import Figure, by_name, runs
from speech_text.default.table import Match, Row, after, before

_APART = re.compile("(?:血压|高低压|收缩压|视力)[^，。]{0,6}$|第$|[A-Za-z](?<![GR])$|[A-Za-z]{2} $")
_NAMED_BEHIND = re.compile(" ?(?:号[线楼口门]|路(?![程段面口])|班(?!级)|号(?![^，。])|[A-Z][a-z])")
_CHAPTER = re.compile(" ?[层页楼集关题章节]")
_PERIOD = re.compile(" ?(?:个[月小]|[天周年岁月])")
_SHARE_BEHIND = re.compile(" ?(?:[=+×÷*<>≤≥-]|的|以[上下])")
_SHARE = re.compile("[=+×÷*<>≤≥-] ?$|概率|等于|约分|化简|分数|[占约近超达的]$")
_OF_ANGLES = {"°": "度", "'": "分", "′": "分", '"': "秒", "″": "秒"}
_NUMERALS = frozenset("一二三四五六七八九十")


def two(figure: Figure) -> bool:
    """Returns whether the number `figure`, which has a slash, is two separate numbers and no fraction. The
    text next to it or its unit may tell so (血压120/80, 8/9号楼, 120/80mmHg). Else it is two if both numbers
    are equal (except 4/4拍), or if the first one is the larger one and above 20. It is also two if both are
    20 or more, unless the text speaks of a share (占25/30)."""
    first, second = map(int, runs(figure.text)[-2:])
    lead, rest = figure.lead[-12:], figure.rest
    told = _SHARE.search(lead) or _SHARE_BEHIND.match(rest)
    return bool(
        figure.text.endswith(("mmHg", "毫米汞柱"))
        or _APART.search(lead)
        or _NAMED_BEHIND.match(rest)
        or (first == second and not rest.startswith("拍"))
        or (_CHAPTER.match(rest) and second > 5)
        or (first > 1 and second > 10 and _PERIOD.match(rest))
        or (min(first, second) >= 20 and not told)
        or (first > second and first > 20)
    )


def unquoted(figure: Figure) -> bool:
    """Returns whether the mark " after the number `figure` means inches, as in 27". It means inches unless it
    ends a quotation, that is, unless an odd number of marks " stands in the 60 characters before."""
    return figure.line[max(0, figure.start - 60) : figure.start].count('"') % 2 == 0


def side_by_side(text: str) -> str:
    """Returns the numbers of `text` in Chinese words, without a word between them: the 80/20 of 80/20法则 ->
    八十二十."""
    return "".join(map(numbers.cardinal, runs(text)))


def fraction(text: str) -> str:
    """Returns a fraction in Chinese words: 3/4 -> 四分之三, 1 1/2 -> 一又二分之一, 1/60s -> 六十分之一秒."""
    *whole, first, second = map(numbers.cardinal, re.findall(r"\d+(?:\.\d+)?", text))
    lead = f"{whole[0]}又" if whole else ""
    return f"{lead}{second}分之{first}{'秒' if text.endswith('s') else ''}"


def fractions(text: str) -> str:
    """Returns a span of two fractions in Chinese words: 1/3-1/2 -> 三分之一到二分之一."""
    first, second = re.split("[-~～—–至到]", text)
    return f"{fraction(first)}到{fraction(second)}"


def power_of_ten(text: str) -> str:
    """Returns a number with a power of ten in Chinese words: 1.2×10^5 -> 一点二乘以十的五次方."""
    factor, base, exponent = re.findall(r"[-+]?\d+(?:\.\d+)?", text)
    return f"{numbers.cardinal(factor)}乘以{numbers.cardinal(base)}的{numbers.cardinal(exponent)}次方"


def scientific(text: str) -> str:
    """Returns a number in scientific notation in Chinese words: 1.5e-3 -> 一点五乘以十的负三次方."""
    factor, exponent = re.split("[eE]", text)
    return f"{numbers.cardinal(factor)}乘以十的{numbers.cardinal(exponent)}次方"


def angle(text: str) -> str:
    """Returns an angle in Chinese words: 30°15'20" -> 三十度十五分二十秒, 30°20" -> 三十度二十秒."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([°'′\"″])", text)
    sign = "负" if text[0] == "-" else ""
    return sign + "".join(numbers.cardinal(part) + _OF_ANGLES[mark] for part, mark in parts)


def inches(text: str) -> str:
    body = text.rstrip('″ "')
    return f"{fraction(body) if '/' in body else numbers.cardinal(body)}英寸"


def nth(text: str) -> str:
    """Returns an ordinal number in Chinese words: 1st -> 第一, No. 5 -> 第五."""
    return f"第{numbers.cardinal(runs(text)[0])}"


def all_day(text: str) -> str:
    """Returns 7*24 (all day, every day) in Chinese words: 7*24 -> 七乘二十四."""
    return "乘".join(map(numbers.cardinal, runs(text)))


SAID = by_name(side_by_side, fraction, fractions, power_of_ten, scientific, angle, inches, nth, all_day)
TESTS = by_name(two, unquoted)


def without_commas(match: Match) -> str:
    """Returns a number without its thousands separators, in digits. A number of more than 11 digits is
    written in Chinese words, since later rules would take its digits for a name."""
    number = match.group().replace(",", "")
    return numbers.cardinal(number) if len(number) > 11 else number


def counted(match: Match) -> str:
    """Returns a bare number in Chinese words; a 2 before a measure word is 两. If a Chinese numeral follows a
    number of several digits, a comma is added between both: the 120 of 90/120六挡."""
    rest = after(match).lstrip()
    pause = "，" if len(match.group()) > 1 and rest[:1] in _NUMERALS and rest else ""
    return numbers.counted(match.group(), rest, before(match)) + pause


THOUSANDS: list[Row] = [
    ("thousands", r"\d(?<![\d.,].)\d{0,2}(?:,\d{3})++(?!\d|,\d)", without_commas),
]
COUNTS: list[Row] = [
    (
        "leading zero, or very long",
        r"\d(?<![\d.,].)(?:(?<=0)\d++|\d{11,}+)(?!\.?\d|,\d{3})",
        lambda m: numbers.digits(m.group()),
    ),
    ("number", r"\d(?<![\d.].)\d{0,29}+(?:\.\d{1,30}+)?", counted),
    ("number", r"\d++", lambda m: numbers.cardinal(m.group())),
    ("day", r"日(?<=[一二三四五六七八九十]日)(?=号)", ""),
]
