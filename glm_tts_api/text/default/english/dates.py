"""English: dates, seasons, spans of years."""

from __future__ import annotations

import re

from glm_tts_api.text.default.english import numbers
from glm_tts_api.text.default.english.numbers import cardinal
from glm_tts_api.text.default.english.short_forms import MONTH
from glm_tts_api.text.default.english.stops import A_TIME, with_stop
from glm_tts_api.text.default.table import Match, Row, before

_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october"),
    *("november", "december"),
)
_SHORT = {"sept": "september", **{month[:3]: month for month in _MONTHS}}
_ARTICLE = re.compile(
    r"(?i)\b(?:the|this|that|next|last|every|each|his|her|our|their|its|a|early|late|mid)\s$"
)

_DATED = re.compile(
    r"(?i)\b(?:on|by|due|since|until|till|date|through|before|after|from|shipped|ships|delivered|delivery|ends?|ended"
    r"|starts?|started|begins?|began|expires?|posted|updated|born|sent|received|opens?|closes?|released|arrives?"
    r"|eod|cob|commencing|weekend of|week of|valid|dated|deadline(?: is)?|birthday is"
    r"|\w{3,6}day(?: the)?)[:,]? $"
)


_PARTS = {"1/2", "1/3", "2/3", "1/4", "3/4", "1/5", "1/8", "1/10"}  # by which something changes
_CHANGED = re.compile(
    r"(?i)(?:low|ris|rose|grew|grow|cut|reduc|increas|drop|fell|fall|shrink|shrank|rais|slash|declin|up|down|less)"
    r"\w{0,4}\b[\w ]{0,24}\bby $"
)


def _month(word: str) -> str:
    word = word.rstrip(".").lower()
    return _SHORT.get(word, word)


def month_first(match: Match) -> str:
    """January 5th, 2024; Jan 5."""
    month, day, year = _month(match[1]), match[2], match[3]
    spoken = f"{month} {numbers.ordinal(day)}"
    return spoken + (f", {numbers.year(year)}" if year else "")


def day_first(match: Match) -> str:
    """5 January 2024, 5th of May."""
    spoken = f"{numbers.ordinal(match[1])} of {_month(match[2])}"
    if not _ARTICLE.search(before(match)):
        spoken = f"the {spoken}"
    return spoken + (f" {numbers.year(match[3])}" if match[3] else "")


def day_range(match: Match) -> str:
    """May 3-5, 2024."""
    month, first, last, year = _month(match[1]), match[2], match[3], match[4]
    return f"{month} {numbers.ordinal(first)} to {numbers.ordinal(last)}" + (
        f", {numbers.year(year)}" if year else ""
    )


def month_year(match: Match) -> str:
    return f"{_month(match[1])} {numbers.year(match[2])}"


def iso_date(match: Match) -> str:
    year, _, month, day = match.groups()
    return _day_of(year, int(month), int(day)) or match.group()


def numeric_date(match: Match) -> str:
    """11/30/2024, the month first unless only the other way round is a date."""
    first, second, year = int(match[1]), int(match[3]), match[4]
    if first > 12:
        first, second = second, first
    return _day_of(("20" + year) if len(year) == 2 else year, first, second) or match.group()


def short_date(match: Match) -> str:
    """11/30 where the words beside it tell a day."""
    first, second = int(match[1]), int(match[2])
    return _day_of("", *((second, first) if first > 12 else (first, second))) or match.group()


def dated(match: Match) -> str:
    """Due 8/15."""
    told = _DATED.search(before(match, 20))
    is_part = match.group() in _PARTS and _CHANGED.search(before(match, 48))
    return short_date(match) if told and not is_part else match.group()


def _day_of(year: str, month: int, day: int) -> str | None:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    spoken = f"{_MONTHS[month - 1]} {numbers.ordinal(str(day))}"
    return f"{spoken}, {numbers.year(year)}" if year else spoken


def season(match: Match) -> str:
    """The 2024-25 season."""
    return f"{numbers.year(match[1])} {cardinal(match[2])}"


def year_span(match: Match) -> str:
    first, second = match[1], match[2]
    if int(second) <= int(first):
        return match.group()
    return f"{numbers.year(first)} to {numbers.year(second)}"


_YEAR = r"(?:1[0-9]|20|21)\d\d"
_DAY = r"(3[01]|[12]\d|0?[1-9])"
_B = r"(?<![\d.,/:-])"

_NTH = "(?:st|nd|rd|th)?"
DATES: list[Row] = [
    (
        "span of days",
        rf"\b({MONTH})\b\.?((?: (?:3[01]|[12]\d|0?[1-9]){_NTH}\b)?(?:,? \d{{4}})?) ?- ?"
        rf"(?=(?:(?:3[01]|[12]\d|0?[1-9]){_NTH} )?{MONTH}\b)",
        lambda m: f"{m[1] if m[2] else _month(m[1])}{m[2]} to ",
    ),
    ("month", rf"(?<= to )({MONTH})\b(?!\.| \d)", lambda m: _month(m[1])),
    ("date", rf"(?<![\w-]){_DAY}-({MONTH})-({_YEAR})(?![\w-])", day_first),
    ("quarter", r"\b(Q[1-4]|H[12]|FY) ?['’](\d\d)\b", lambda m: f"{m[1]} {cardinal(m[2])}"),
    ("time stamp", r"(\d{4}-\d\d-\d\d)T(?=\d\d:\d\d)", r"\1 "),
    ("date", r"(\d(?<![\d.-]\d)\d{3})([-/.])(\d{1,2})\2(\d{1,2})(?![\d/-])", iso_date),
    ("date", r"(\d(?<![\d./-]\d)\d?)([-/.])(\d{1,2})\2(\d{4}|\d\d)(?![\d/.-]*\d)", numeric_date),
    (
        "date",
        rf"(?<![\d./-])(3[01]|[12]\d|0?[1-9])/{_DAY}"
        r"(?![\d/])(?! (?:of|cup|inch|teaspoon|full|empty|equals|is|plus|minus|times|mile)\b| ?[=+])",
        dated,
    ),
    (
        "date",
        r"(?<![\d/])(1[0-2]|0?[1-9])/"
        + _DAY
        + r"(?![\d/])(?=(?: ?-| to| at| \()? ?\d{1,2}(?:/\d|:\d|am|pm))",
        short_date,
    ),
    (
        "date",
        r"(?<=[a-z] )(1[0-2]|[1-9])/"
        + _DAY
        + r"(?![\d/])(?= (?:meeting|deadline|appointment|game|event|launch|release|show|deadline))",
        short_date,
    ),
    (
        "date",
        rf"\b({MONTH})\.?\s{_DAY}(?:st|nd|rd|th)?\s?[-~—–]\s?{_DAY}(?:st"
        rf"|nd|rd|th)?(?:,?\s({_YEAR}))?(?![\d:])",
        day_range,
    ),
    (
        "date",
        rf"\b({MONTH})\.?\s{_DAY}(?:st|nd|rd|th)?(?:(?:,\s?|\s)({_YEAR}))?"
        rf"(?![\d:%]|,\d|\.\d|[A-Za-z]|\s(?:people|times|percent|am|pm"
        rf"|million))",
        month_first,
    ),
    (
        "date",
        rf"{_B}{_DAY}(?:st|nd|rd|th)?\s(?:of\s)?({MONTH})\b\.?(?:,?\s({_YEAR}))?(?!\d)",
        with_stop(day_first, A_TIME),
    ),
    ("date", rf"\b({MONTH})\.?,?\s({_YEAR})(?![\d.]\d|\d)", month_year),
    (
        "month",
        r"\b(Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)\.(?=\s|,|$)",
        with_stop(lambda m: _month(m[1])),
    ),
    (
        "season",
        rf"{_B}({_YEAR})[-/–](\d\d)(?![\d/-])(?=\s(?:season|school|academic"
        rf"|NBA|NHL|campaign|fiscal|winter|year|budget))",
        season,
    ),
    (
        "season",
        r"(?<![\d/-])(\d\d)/(\d\d)(?=\s(?:season|campaign))",
        lambda m: f"{cardinal(m[1])} {cardinal(m[2])}",
    ),
    (
        "span of years",
        rf"{_B}({_YEAR})\s?[-–—~]\s?({_YEAR})(?![\d.,-]\d|\d|\s(?:people|dollars|meters|units|words))",
        year_span,
    ),
]
