"""English: whether 3/14, 3/14-3/16 and 11/30/2024 are days."""

from __future__ import annotations

import re

from glm_tts_api.text.default.figures import Figure, runs

MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october"),
    *("november", "december"),
)
_PARTS = {"1/2", "1/3", "2/3", "1/4", "3/4", "1/5", "1/8", "1/10"}  # by which something changes
_CHANGED = re.compile(
    r"(?i)(?:low|ris|rose|grew|grow|cut|reduc|increas|drop|fell|fall|shrink|shrank|rais|slash|declin|up|down|less)"
    r"\w{0,4}\b[\w ]{0,24}\bby $"
)


def parsed(dates: str) -> list[tuple[str, int, int]]:
    """The year ("" without one), month and day of each of `dates`: the month first, unless only the other way
    round is a date."""
    parts = re.split("[-~—–]", dates) if "/" in dates else [dates]
    return [_parsed(runs(part)) for part in parts]


def _parsed(numbers: list[str]) -> tuple[str, int, int]:
    if len(numbers[0]) == 4:
        return numbers[0], int(numbers[1]), int(numbers[2])
    first, second, year = int(numbers[0]), int(numbers[1]), "".join(numbers[2:])
    if first > 12:
        first, second = second, first
    return f"20{year}" if len(year) == 2 else year, first, second


def dated(figure: Figure) -> bool:
    """Each month is one, and each day."""
    return all(1 <= month <= 12 and 1 <= day <= 31 for _, month, day in parsed(figure.text))


def dated_apart(figure: Figure) -> bool:
    """3/14-3/16; 1/3-2/3 are shares."""
    (_, month, day), (_, month_2, day_2) = parsed(figure.text)
    return dated(figure) and day != day_2 and (month != month_2 or day < day_2)


def dated_no_part(figure: Figure) -> bool:
    """Due 8/15; cut by 1/2 is a share."""
    return dated(figure) and not (figure.text in _PARTS and _CHANGED.search(figure.lead))


def dated_too(figure: Figure) -> bool:
    """From 5/3 to 5/9: a day behind another."""
    return figure.last_kind in ("date", "dates") and dated(figure)


def rising(figure: Figure) -> bool:
    first, second = runs(figure.text)
    return int(first) < int(second)


TESTS = {test.__name__: test for test in (dated, dated_apart, dated_no_part, dated_too, rising)}
