"""English dates: 3/14, 11/30/2024, Jan 5, 5 January 2024. Tests whether a number is a date, and words."""

from __future__ import annotations

import re
from typing import NamedTuple

from speech_text.default.english.lists import MONTH, SHORT_MONTH, any_of
from speech_text.default.english.numbers import ordinal, year
from speech_text.default.english.stops import A_NAME, A_TIME, stop
from speech_text.default.number_tagger import Figure, by_name, runs
from speech_text.default.table import Match, before

_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october"),
    *("november", "december"),
)
_NUMBER_OF = {name[:3]: number for number, name in enumerate(_MONTHS, start=1)}
_FRACTIONS = {"1/2", "1/3", "2/3", "1/4", "3/4", "1/5", "1/8", "1/10"}  # by which something changes
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
_ARTICLE = re.compile(
    r"(?i)\b(?:the|this|that|next|last|every|each|his|her|our|their|its|a|early|late|mid)\s$"
)
# Things with a number before May or March: In chapter 3 May is sad.
_NUMBERED = re.compile(rf"(?i)\b{any_of('numbered_thing')} $")
_OF_A_MONTH = re.compile(
    r"(?i)(?:[\d,/–-]|\b(?:and|by|each|early|every|from|in|last|late|mid|next|of|or|since|starts|this"
    r"|through|till|to|until|\d(?:st|nd|rd|th))) ?$"
)


class Date(NamedTuple):
    """A date. The year is "" if it is not given."""

    year: str
    month: int
    day: int

    @classmethod
    def of(cls, year: str, month: str, day: str) -> Date:
        """Returns a date from its digits. A year of two digits gets its century: 40 to 99 is 1940 to 1999, 00
        to 39 is 2000 to 2039."""
        century = ("19" if int(year) > 39 else "20") if len(year) == 2 else ""
        return cls(century + year, int(month), int(day))

    def month_first(self, last_day: str = "") -> str:
        """Returns the words: january fifth, twenty twenty four; may third to fifth."""
        days = ordinal(str(self.day)) + (f" to {ordinal(last_day)}" if last_day else "")
        return f"{_MONTHS[self.month - 1]} {days}" + (f", {year(self.year)}" if self.year else "")

    def day_first(self, article: str = "the ") -> str:
        """Returns the words: the fifth of january twenty twenty four."""
        said = f"{article}{ordinal(str(self.day))} of {_MONTHS[self.month - 1]}"
        return f"{said} {year(self.year)}" if self.year else said


def _parsed(dates: str) -> list[Date]:
    """Returns each date of `dates`, which is one date or a span of two. The month comes first in a date,
    unless a year of four digits does, or the first number of one of them is over 12."""
    split = [runs(part) for part in (re.split("[-~—–]", dates) if "/" in dates else [dates])]
    day_first = any(12 < int(numbers[0]) < 100 for numbers in split)
    return [_in_order(numbers, day_first) for numbers in split]


def _in_order(numbers: list[str], day_first: bool) -> Date:
    first, second, *third = numbers
    if len(first) == 4:
        return Date(first, int(second), int(third[0]))
    return Date.of("".join(third), *((second, first) if day_first else (first, second)))


def dated(figure: Figure) -> bool:
    """Returns whether each month of the number `figure` is 1 to 12 and each day 1 to 31."""
    return all(1 <= date.month <= 12 and 1 <= date.day <= 31 for date in _parsed(figure.text))


def british(figure: Figure) -> bool:
    """Returns whether the day comes first in the date `figure`, such as 9/11/1962. It does where the text
    near it names the month of the second number, has a date whose first number is over 12, or speaks of
    Britain, India or Australia."""
    day, month, *_ = map(int, runs(figure.text))
    near = f"{figure.lead} {figure.rest}".lower()
    if not (1 <= day <= 12 and 1 <= month <= 12) or _MONTHS[day - 1] in near:
        return False
    around = figure.line[max(0, figure.start - 200) : figure.end + 200]
    return bool(_MONTHS[month - 1] in near or _DAY_OVER_12.search(near) or _DAY_FIRST.search(around))


def dated_apart(figure: Figure) -> bool:
    """Returns whether the number `figure`, such as 3/14-3/16, is a span of days. The numbers must be months
    and days, and within one month the second day must be the later one. Spans of one small denominator, such
    as 1/3-2/3, are spans of fractions."""
    first, last = _parsed(figure.text)
    is_share = first.day == last.day and max(first.month, last.month) < first.day <= 10
    return dated(figure) and not is_share and (first.month != last.month or first.day < last.day)


def dated_no_part(figure: Figure) -> bool:
    """Returns whether the number `figure` can be a day, as in due 8/15: its numbers are a month and a day. A
    fraction by which something changes is no day (cut by 1/2), and none before a noun (after 1/2 hour)."""
    is_part = _CHANGED.search(figure.lead) or _OF_THING.match(figure.rest)
    return dated(figure) and not (figure.text in _FRACTIONS and is_part)


def month(word: str) -> str:
    """Returns the full name of a month: Sept. -> september."""
    return _MONTHS[_NUMBER_OF[word[:3].lower()] - 1]


def _named(year: str | None, month: str, day: str) -> Date:
    return Date.of(year or "", str(_NUMBER_OF[month[:3].lower()]), day)


def day_first(match: Match) -> str:
    """Returns a date that begins with the day in words: 5 January 2024 -> the fifth of january twenty twenty
    four. No "the" is added after an article or a word such as his or late. Chapter 3 May stays."""
    if _NUMBERED.search(before(match)):
        return match.group()
    day, month, in_year = match.groups()
    return _named(in_year, month, day).day_first("" if _ARTICLE.search(before(match)) else "the ")


def short_month(match: Match) -> str:
    """Returns a short month in words: in Jan. -> january. At a sentence's end Jan. and Mar. may be names (I
    met Jan.), and stay unless the text before them tells that a month is meant."""
    told = _OF_A_MONTH.search(before(match))
    end = stop(match, A_TIME if told else A_NAME)
    named = end and match[1] in ("Jan", "Mar") and not told
    return match.group() if named else month(match[1]) + end


_YEAR = r"(?:1[0-9]|20|21)\d\d"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])"
_NTH = "(?:st|nd|rd|th)?"
PATTERNS = {
    "month": MONTH,
    "short_month": SHORT_MONTH,
    # A month in any case; in small letters, may and march are words unless a year follows.
    "any_month": rf"(?:(?i:{MONTH})\b(?<!\bmay)(?<!\bmarch)|(?:may|march)\b(?=,? {_YEAR}\b))",
    "day": _DAY,
    "nth": _NTH,
    "days": rf"({_DAY}){_NTH}(?:\s?[-~—–]\s?({_DAY}){_NTH}(?!\d))?",
    "year": _YEAR,
    "of_year": rf"(?:(?:,\s?|\s|-)({_YEAR}|(?<=, )[3-9]\d\d(?=[.;,)]|$)))?",
    # May as a verb: Season 2 May Be The Last.
    "may": r"May (?i:also|be|cause|have|help|include|need|never|not|still)\b|March Madness",
    "no_day": r"[\d:%]|,\d|\.\d|[A-Za-z]|\s(?:people|times|percent|am|pm|million|of (?:them|us|you)\b"
    r"|(?:kilometer|meter|mile|minute|hour|day|week|month|year)s\b)",
}
NAMED = {
    "month_first": lambda m: _named(m[4], m[1], m[2]).month_first(m[3]),
    "day_first": day_first,
    "dotted_day_first": lambda m: day_first(m) + stop(m, A_TIME),
    "short_month": short_month,
    "first_day": lambda m: (
        f"{f'the {ordinal(m[1])} of ' if m[1] else ''}{m[2] if m[3] else month(m[2])}{m[3]} to "
    ),
}
SAID = {
    "dates": lambda text: " to ".join(date.month_first() for date in _parsed(text)),  # 3/14-3/16
    "days_first": lambda text: _in_order(runs(text), day_first=True).day_first(),  # 9/11/1962
}
TESTS = by_name(dated, british, dated_apart, dated_no_part)
