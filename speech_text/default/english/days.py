"""Functions that test whether an English number such as 3/14, 3/14-3/16 or 11/30/2024 is a date."""

from __future__ import annotations

import re

from speech_text.default.number_tagger import Figure, by_name, runs

MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october"),
    *("november", "december"),
)
_PARTS = {"1/2", "1/3", "2/3", "1/4", "3/4", "1/5", "1/8", "1/10"}  # fractions by which something changes
_CHANGED = re.compile(
    r"(?i)(?:low|ris|rose|grew|grow|cut|reduc|increas|drop|fell|fall|shrink|shrank|rais|slash|declin|up|down|less)"
    r"\w{0,4}\b[\w ]{0,24}\bby $"
)
# A noun behind a fraction, or behind the second of two fractions (from 1/2 to 3/4 cup).
_OF_THING = re.compile(
    r" (?:to \d/\d )?(?!(?:at|to|through|and|or|in|for|from|with|until|till|by|as|so|but|if|when|because"
    r"|before|after|we|you|he|she|they|it|is|was|will|please|then|this|last|next|is|are|only|onwards?|am|pm|our|your)\b)"
    r"[a-z]{2}"
)
# Money and words of countries in which the day of a date comes first.
_DAY_FIRST = re.compile(
    r"[£₹]|(?<![A-Z])[AS]\$|\bINR\b|\+(?:44|91|353|61|65)\b|\b0\d{2,4} \d{3} ?\d{3,4}\b|\b(?:bank hol"
    r"|colour|centre|cricket|fete|fortnight|GP|half[- ]term|mum|NHS|parish|pub|rugby|rupees|surgery|VAT"
    r"|whilst)\b"
)
_DAY_OVER_12 = re.compile(r"(?<![\d/])(?:1[3-9]|2\d|3[01])/(?:0?[1-9]|1[0-2])/(?:\d\d|\d{4})(?![\d/])")


def parsed(dates: str) -> list[tuple[str, int, int]]:
    """Returns (year, month, day) of each date of `dates`, which is one date or a span of two. A year that is
    not given is ""; a year of two digits gets its century. The month comes first in a date, unless a year of
    four digits does, or the first number of one of them is over 12."""
    parts = re.split("[-~—–]", dates) if "/" in dates else [dates]
    split = [runs(part) for part in parts]
    day_first = any(12 < int(numbers[0]) < 100 for numbers in split)
    return [_parsed(numbers, day_first) for numbers in split]


def _parsed(numbers: list[str], day_first: bool) -> tuple[str, int, int]:
    if len(numbers[0]) == 4:
        return numbers[0], int(numbers[1]), int(numbers[2])
    first, second, year = int(numbers[0]), int(numbers[1]), "".join(numbers[2:])
    if day_first:
        first, second = second, first
    return in_full(year), first, second


def in_full(year: str) -> str:
    """Returns a year of two digits with its century: 40 to 99 -> 1940 to 1999, 00 to 39 -> 2000 to 2039.
    Other years stay."""
    return f"{'19' if int(year) > 39 else '20'}{year}" if len(year) == 2 else year


def dated(figure: Figure) -> bool:
    """Returns whether each month of the number `figure` is 1 to 12 and each day 1 to 31."""
    return all(1 <= month <= 12 and 1 <= day <= 31 for _, month, day in parsed(figure.text))


def day_first(figure: Figure) -> bool:
    """Returns whether the day comes first in the date `figure`, such as 9/11/1962. It does where the text
    near it names the month of the second number, has a date whose first number is over 12, or speaks of
    Britain, India or Australia."""
    day, month, *_ = map(int, runs(figure.text))
    near = f"{figure.lead} {figure.rest}".lower()
    if not (1 <= day <= 12 and 1 <= month <= 12) or MONTHS[day - 1] in near:
        return False
    around = figure.line[max(0, figure.start - 200) : figure.end + 200]
    return bool(MONTHS[month - 1] in near or _DAY_OVER_12.search(near) or _DAY_FIRST.search(around))


def dated_apart(figure: Figure) -> bool:
    """Returns whether the number `figure`, such as 3/14-3/16, is a span of days. The numbers must be months
    and days, and within one month the second day must be the later one. Spans of one small denominator, such
    as 1/3-2/3, are spans of fractions."""
    (_, month, day), (_, month_2, day_2) = parsed(figure.text)
    is_share = day == day_2 and max(month, month_2) < day <= 10
    return dated(figure) and not is_share and (month != month_2 or day < day_2)


def dated_no_part(figure: Figure) -> bool:
    """Returns whether the number `figure` can be a day, as in due 8/15: its numbers are a month and a day. A
    fraction by which something changes is no day (cut by 1/2), and none before a noun (after 1/2 hour)."""
    is_part = _CHANGED.search(figure.lead) or _OF_THING.match(figure.rest)
    return dated(figure) and not (figure.text in _PARTS and is_part)


def consecutive(figure: Figure) -> bool:
    """Returns whether the second number of `figure` is the year behind the first: 2003-04."""
    first, second = map(int, runs(figure.text))
    return second == (first + 1) % 100


def rising(figure: Figure) -> bool:
    first, second = runs(figure.text)
    return int(first) < int(second)


TESTS = by_name(dated, day_first, dated_apart, dated_no_part, consecutive, rising)
