"""English rules for dates that have the name of their month."""

from __future__ import annotations

import re

from speech_text.default.english import numbers
from speech_text.default.english.days import MONTHS, in_full
from speech_text.default.english.short_forms import MONTH, SHORT_MONTH
from speech_text.default.english.stops import A_NAME, A_TIME, stop, with_stop
from speech_text.default.table import Match, before

_SHORT = {"sept": "september", **{month[:3]: month for month in MONTHS}}
_ARTICLE = re.compile(
    r"(?i)\b(?:the|this|that|next|last|every|each|his|her|our|their|its|a|early|late|mid)\s$"
)
# Things with a number before May or March: In chapter 3 May is sad.
_NUMBERED = re.compile(
    r"(?i)\b(?:android|chapter|episode|gate|ios|iphone|lesson|level|page|part|pixel|room|season|section"
    r"|step|version|windows) $"
)
_OF_A_MONTH = re.compile(
    r"(?i)(?:[\d,/–-]|\b(?:and|by|each|early|every|from|in|last|late|mid|next|of|or|since|starts|this"
    r"|through|till|to|until|\d(?:st|nd|rd|th))) ?$"
)


def month(word: str) -> str:
    word = word.rstrip(".").lower()
    return _SHORT.get(word, word)


def month_first(match: Match) -> str:
    """Returns a date in words: Jan 5 -> january fifth, January 5th, 2024 -> january fifth, twenty twenty
    four; May 3-5 -> may third to fifth."""
    named, first, last, year = match.groups()
    days = " to ".join(numbers.ordinal(day) for day in (first, last) if day)
    return f"{month(named)} {days}" + (f", {numbers.year(year)}" if year else "")


def day_first(match: Match) -> str:
    """Returns a date that begins with the day in words: 5 January 2024 -> the fifth of january twenty twenty
    four. No "the" is added after an article or a word such as his or late. Chapter 3 May stays."""
    if _NUMBERED.search(before(match)):
        return match.group()
    spoken = f"{numbers.ordinal(match[1])} of {month(match[2])}"
    if not _ARTICLE.search(before(match)):
        spoken = f"the {spoken}"
    return spoken + (f" {numbers.year(in_full(match[3]))}" if match[3] else "")


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
SAID = {
    "month_first": month_first,
    "day_first": day_first,
    "dotted_day_first": with_stop(day_first, A_TIME),
    "short_month": short_month,
    "first_day": lambda m: (
        f"{f'the {numbers.ordinal(m[1])} of ' if m[1] else ''}{m[2] if m[3] else month(m[2])}{m[3]} to "
    ),
}
