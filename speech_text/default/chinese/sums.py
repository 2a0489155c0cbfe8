"""Words for Chinese formulas: powers, ions, quotients, absolute values. Tables of tokens name them."""

from __future__ import annotations

import re

from speech_text.default.characters import plain_exponent
from speech_text.default.chinese.numbers import cardinal
from speech_text.default.number_tagger import by_name
from speech_text.default.table import Match, after, before


def exponent(match: Match) -> str:
    """Returns a power in Chinese words: 10²⁰ -> 10的二十次方, x^-2 -> x的负二次方, x^2 -> x的平方. The base
    stays."""
    base, power = match[1], plain_exponent(match[2].strip("^{}( )"))
    if power in ("2", "3") and base != "10":
        return f"{base}的{'平方' if power == '2' else '立方'}"
    body = power.lstrip("+-")
    return f"{base}的{'负' * (power[0] == '-')}{cardinal(body) if body.isdigit() else body}次方"


def ion(match: Match) -> str:
    """Returns an ion with its charge in Chinese: Fe³⁺ -> Fe3加."""
    return f"{match[1]}{plain_exponent(match[2])}{'加' if match[3] == '⁺' else '负'}"


def over(match: Match) -> str:
    """Returns a quotient of letters in Chinese next to another sign of a formula: a/b= -> b分之a=."""
    if match[0] == "m/s":
        return match[0]
    told = re.match(" ?[<>=≥≤≠+*×]|的[值极]", after(match)) or re.search("=$|[A-Za-z)][<>+×]$", before(match))
    return f"{match[2]}分之{match[1]}" if told else match[0]


def quotient(match: Match) -> str:
    """Returns a fraction with a letter or a root in Chinese: 4x/3 -> 三分之4x, 1/n² -> n²分之一."""
    minus, above, below, factor = match.groups("")
    above, below = (cardinal(part) if part.isdigit() else part for part in (above, below))
    return f"{'减' * bool(minus)}{below}{factor}分之{above}"


def absolute(match: Match) -> str:
    """Returns an absolute value in Chinese: |x-1| -> x减1的绝对值. In a text about complex numbers or vectors
    |z| is z的模. A minus sign within, before or behind it is said as well."""
    name = "模" if re.search("复数|向量", before(match, 40)) else "绝对值"
    outer = match[1] and ("减" if re.match(r"[A-Za-z\d)]", before(match, 1)) else "负")
    inner = re.sub("^-", "负", re.sub(r"(?<=[\w²³)])-", "减", match[2]))
    return f"{outer}{inner}的{name}{'减' * bool(match[3])}"


SAID = by_name(exponent, ion, over, quotient, absolute)
