"""English: how figures are said, by name for the table of their classes."""

from __future__ import annotations

from glm_tts_api.text.default.english.numbers import cardinal, digits, paired
from glm_tts_api.text.default.figures import groups, runs


def telephone(number: str) -> str:
    """Digits as a number to dial, a pause between its groups."""
    plus, parts = "plus " if number.startswith("+") else "", groups(number)
    if parts[:2] == ["1", "800"]:
        return f"one eight hundred, {', '.join(map(digits, parts[2:]))}"
    return plus + ", ".join(map(digits, parts))


def cardinals(number: str) -> str:
    """50/50, 4-3-3."""
    return " ".join(map(cardinal, runs(number)))


def record(number: str) -> str:
    """10-4-1: games that were won, lost and drawn."""
    return " and ".join(map(cardinal, runs(number)))


def dashes(number: str) -> str:
    """The 2-1 of figure 2-1."""
    return " dash ".join(map(cardinal, runs(number)))


def chip(number: str) -> str:
    """The 7-12700 of i7-12700."""
    first, second = runs(number)
    return f"{cardinal(first)} {paired(second)}"


SAID = {say.__name__: say for say in (cardinal, digits, paired, telephone, cardinals, record, dashes, chip)}
