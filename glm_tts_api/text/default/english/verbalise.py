"""English: how figures are said, by name for the table of their classes."""

from __future__ import annotations

from glm_tts_api.text.default.english.days import MONTHS, parsed
from glm_tts_api.text.default.english.numbers import cardinal, digits, ordinal, paired, year
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


def pairs(number: str) -> str:
    """747-400, 1-900."""
    return " ".join(map(paired, runs(number)))


def host(number: str) -> str:
    """192.168.1.10:8080."""
    address, _, port = number.partition(":")
    spoken = " dot ".join(digits(part) if len(part) > 2 else cardinal(part) for part in runs(address))
    return f"{spoken} colon {digits(port)}" if port else spoken


def version(number: str) -> str:
    return " point ".join(digits(part) if part[0] == "0" else cardinal(part) for part in runs(number))


def dates(number: str) -> str:
    """11/30/2024, 2024-01-05, 3/14-3/16."""
    return " to ".join(
        f"{MONTHS[month - 1]} {ordinal(str(day))}" + (f", {year(in_year)}" if in_year else "")
        for in_year, month, day in parsed(number)
    )


def season(number: str) -> str:
    """2024-25."""
    first, second = runs(number)
    return f"{year(first)} {cardinal(second)}"


def years(number: str) -> str:
    """1998-2002."""
    return " to ".join(map(year, runs(number)))


SAID = {
    say.__name__: say
    for say in (
        *(cardinal, digits, paired, telephone, cardinals, record, dashes, chip, pairs),
        *(host, version, dates, season, years),
    )
}
