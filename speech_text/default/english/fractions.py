"""English words for fractions, marks out of ten, odds and scores with a slash, and tests that tell them
apart."""

from __future__ import annotations

import re
from operator import le

from speech_text.default.english import numbers
from speech_text.default.english.numbers import cardinal
from speech_text.default.number_tagger import Figure, by_name, runs

_ONES = {"2": "half", "3": "third", "4": "quarter"}
_RATED = re.compile(
    r"(?i)rat(?:ed?|ing)|scor|star|review|g(?:i|a)v(?:e|ing)|\bgets\b|film|movie|verdict|mark|grade|got|pain|quality"
    r"|solid|exam|quiz|test|(?:ambian?ce|decor|food|location|parking|price|service|taste|value|vibes?): $"
)
_CRICKET = re.compile(
    r"(?i:wicket|\bovers?\b|innings|stumps|declared|\btea\b|lunch|chas(?:ed|ing)|cricket|\bov\b|\ball out"
    r"|a\.o\.|by \d+ runs)|\boff \d{1,3} balls|\b(?:bowled|batsm[ae]n|batters?|crease|lbw|the Ashes)\b"
    r"|not out|\d\d\* |\b\d{3}-\d,? with |\bovernight, [A-Z]"
)
_STUMPS = re.compile(
    r"(?i:wicket|\b(?:overs|stumps|declared|cricket|(?:first|second) innings|lbw|all out|not out|seamers?"
    r"|spinners?)\b)"
)


def rated(figure: Figure) -> bool:
    """Returns whether the number `figure`, such as 9/10 or 4.5/5, is a mark out of a total, and no fraction.
    The first number must not be larger than the second, and no sign of a sum may stand next to them. A word
    such as rated must be near, or the total must be 10 or 100, or the mark must have a decimal point."""
    first, second = re.split("/", figure.text)
    in_sum = re.search(r"[=+×*÷<>]\s?$", figure.lead) or re.match(r"\s?[=+×*÷<>]", figure.rest)
    told = _RATED.search(figure.lead) or _RATED.search(figure.rest[:20])
    return bool(
        not in_sum and float(first) <= int(second) and (told or second in ("10", "100") or "." in first)
    )


def at_stumps(figure: Figure) -> bool:
    """Returns whether the number `figure`, such as 287-6 or 103*, belongs to a cricket match. The words that
    are near it may be weaker than for 45-2, which may be a score of another game."""
    return batted(figure) or figure.mentions(_CRICKET)


def batted(figure: Figure) -> bool:
    """Returns whether the number `figure`, such as 45-2, belongs to a cricket match: a word that belongs to
    no other game stands near it, or the number before belongs to one."""
    return figure.last_kind == "wickets" or figure.mentions(_STUMPS)


def fraction(text: str) -> str:
    """Returns a fraction in words: 3/4 -> three quarters, 1 1/2 -> one and a half, 11/10 -> eleven over
    ten."""
    minus, text = ("minus ", text[1:]) if text[0] == "-" else ("", text)
    *wholes, first, second = runs(text)
    if (int(first) >= int(second) and int(second) > 9) or len(first) > 2:
        return f"{minus}{cardinal(first)} over {cardinal(second)}"
    part = _ONES.get(second) or numbers.ordinal(second)
    lead = minus + (f"{cardinal(wholes[0])} and " if wholes else "")
    if second == "2" and first == "1" and wholes:
        return lead + "a half"
    if part == "half" and first != "1":
        return f"{lead}{cardinal(first)} halves"
    return f"{lead}{cardinal(first)} {part if first == '1' else part + 's'}"


def fractions(text: str) -> str:
    """Returns a span of fractions in words: 1/3-2/3 -> one third to two thirds."""
    return " to ".join(
        fraction(number) if "/" in number else cardinal(number) for number in re.split(" ?[-~—–] ?", text)
    )


SAID = by_name(fraction, fractions) | {
    "over": lambda text: (
        " over ".join(map(cardinal, runs(text))) + " millimeters of mercury" * text.endswith("Hg")
    ),
    "out_of": lambda text: " out of ".join(map(cardinal, text.split("/"))),  # 4.5/5
    "thread": lambda text: f"{fraction(text.split('-')[0])} {cardinal(text.split('-')[1])}",  # 1/4-20
}
TESTS = by_name(rated, batted, at_stumps) | {
    "no_more": lambda figure: le(*map(int, runs(figure.text))),  # 28/40 passes
    # A span of fractions, but no mixed number, in which a hyphen stands before the fraction: 3-1/2.
    "no_mixed": lambda figure: not re.fullmatch(r"\d+ ?[-~—–] ?\d+/\d+", figure.text),
}
