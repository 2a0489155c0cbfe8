"""English: dates, years, times of day and durations."""

from __future__ import annotations

import re

from glm_tts_api.text.default.english import numbers
from glm_tts_api.text.default.english.numbers import cardinal
from glm_tts_api.text.default.table import Match, Row, after, before

_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october"),
    *("november", "december"),
)
_SHORT = {"sept": "september", **{month[:3]: month for month in _MONTHS}}
MONTH = (
    "(?:January|February|March|April|May|June|July|August|September"
    "|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept"
    "|Sep|Oct|Nov|Dec)"
)
_DECADES = (
    *("hundreds", "tens", "twenties", "thirties", "forties"),
    *("fifties", "sixties", "seventies", "eighties", "nineties"),
)
_SCORE = re.compile(
    r"(?i)\b(?:won|win|wins|beat|beats|lost|lose|lead|leads|led|score"
    r"|scored|draw|drew|defeat\w*|victory|tied?|final|set|halftime"
    r"|trail\w*|record)\b"
)
_ARTICLE = re.compile(
    r"(?i)\b(?:the|this|that|next|last|every|each|his|her|our|their|its|a|early|late|mid)\s$"
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
    return _day_of("", int(match[1]), int(match[2])) or match.group()


def _day_of(year: str, month: int, day: int) -> str | None:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    spoken = f"{_MONTHS[month - 1]} {numbers.ordinal(str(day))}"
    return f"{spoken}, {numbers.year(year)}" if year else spoken


def clock(match: Match) -> str:
    hour, minute, half = int(match[1]), int(match[2]), match[3]
    if (
        not half
        and hour
        and _SCORE.search(before(match, 24))
        and not re.search(r"(?i)\b(?:at|by|around|until|before|after|from)\s$", before(match))
    ):
        return f"{cardinal(match[1])} to {cardinal(match[2])}"
    words = cardinal(str(hour))
    if minute:
        words += (" oh " if minute < 10 else " ") + cardinal(str(minute))
    elif not half:
        words += " hundred" if hour == 0 or hour > 12 else " o'clock"
    return words + (f" {half.lower()}m" if half else "")


def duration(match: Match) -> str:
    hours, minutes, seconds = (
        f"{cardinal(part)} {numbers.plural(noun, str(int(part)))}"
        for part, noun in zip(match.groups(), ("hour", "minute", "second"), strict=True)
    )
    return f"{hours} {minutes} and {seconds}"


def whole_hour(match: Match) -> str:
    return f"{cardinal(match[1])} {match[2].lower()}m"


def decade(match: Match) -> str:
    century, tens = match[1] or "", int(match[2])
    if not century:
        return _DECADES[tens] if tens else match.group()
    if tens == 0:
        return cardinal(century + "00") + "s" if century.endswith("0") else f"{cardinal(century)} hundreds"
    return f"{cardinal(century)} {_DECADES[tens]}"


def season(match: Match) -> str:
    """The 2024-25 season."""
    return f"{numbers.year(match[1])} {cardinal(match[2])}"


def year_span(match: Match) -> str:
    first, second = match[1], match[2]
    if int(second) <= int(first):
        return match.group()
    return f"{numbers.year(first)} to {numbers.year(second)}"


def year(match: Match) -> str:
    return numbers.year(match[1])


def pace(match: Match) -> str:
    """5'30" is a time beside a pace; else feet and inches."""
    first, second = match[1], match[2]
    near = before(match, 24) + after(match, 24)
    if re.search(r"(?i)pace|per k|per mile|/km|/mi|split|lap|ran|run", near) or int(second) > 11:
        units = ("minute", "second")
    else:
        units = ("foot", "inch")
    return " ".join(
        f"{cardinal(n)} {numbers.plural(unit, n)}" for n, unit in zip((first, second), units, strict=True)
    )


_YEAR = r"(?:1[0-9]|20|21)\d\d"
_DAY = r"(3[01]|[12]\d|0?[1-9])"
_B = r"(?<![\d.,/:-])"

TIMES: list[Row] = [
    ("time stamp", r"(\d{4}-\d\d-\d\d)T(?=\d\d:\d\d)", r"\1 "),
    ("date", r"(?<![\d.-])(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?![\d/-])", iso_date),
    ("date", r"(?<![\d./-])(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d\d)(?![\d/.-]*\d)", numeric_date),
    (
        "date",
        r"(?i)(?:(?<=\bon )|(?<=\bby )|(?<=\bdue )|(?<=\bsince )|(?<=\buntil )"
        r"|(?<=\bdate: )|(?<=\bthrough )|(?<=\bbefore )|(?<=\bafter )"
        r"|(?<=day, )|(?<=day )|(?<=\btill )|(?<=\bdated )|(?<=deadline is )"
        r"|(?<=deadline: )|(?<=\bfrom )|(?<=\bbirthday is ))(1[0-2]|0?[1-9])/"
        + _DAY
        + r"(?![\d/])(?! (?:of|cup|inch|teaspoon|full|empty|equals|is|plus|minus|times|mile)\b| ?[=+])",
        short_date,
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
    ("date", rf"{_B}{_DAY}(?:st|nd|rd|th)?\s(?:of\s)?({MONTH})\b\.?(?:,?\s({_YEAR}))?(?!\d)", day_first),
    ("date", rf"\b({MONTH})\.?,?\s({_YEAR})(?![\d.]\d|\d)", month_year),
    ("month", r"\b(Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)\.(?=\s|,|$)", lambda m: _month(m[1])),
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
    ("military time", r"\b0(\d)00 hours\b", lambda m: f"oh {cardinal(m[1])} hundred hours"),
    ("military time", r"\b([12]\d)00 hours\b", lambda m: f"{cardinal(m[1])} hundred hours"),
    (
        "lap",
        r"(?<![\d:.])(\d{1,2}):([0-5]\d)\.(\d{1,3})(?![\d:])",
        lambda m: f"{cardinal(m[1])} {numbers.plural('minute', m[1])} {cardinal(m[2] + '.' + m[3])} seconds",
    ),
    ("duration", r"(?<![\d:.])(\d{1,2}):([0-5]\d):([0-5]\d)(?![\d:])", duration),
    ("hours", r"(?i)(?<=:\d\d)\s?[-~—]+\s?(?=\d{1,2}:\d\d)|(?<=[ap]m)\s?[-~—]+\s?(?=\d)", " to "),
    (
        "hours",
        r"(?<![\d:.])(\d{1,2})\s?[-~—]\s?(?=\d{1,2}(?::\d\d)?\s?[AaPp]\.?[Mm]\b)",
        lambda m: f"{cardinal(m[1])} to ",
    ),
    (
        "ratio",
        r"(?<![\d:.])(16):(10)(?![\d:])(?!\s?[AaPp]\.?[Mm]\b)",
        lambda m: f"{cardinal(m[1])} to {cardinal(m[2])}",
    ),
    ("time", r"(?<![\d:.])([01]?\d|2[0-4]):([0-5]\d)(?![\d:])(?:\s?([AaPp])\.?\s?[Mm]\b\.?)?", clock),
    ("time", r"(?<![\d.])(0?[1-9]|1[0-2])\s?([AaPp])\.?\s?[Mm]\b\.?", whole_hour),
    ("ratio", r"(?<![\d.:])(\d{1,6}):(\d{1,6})(?![\d:])", lambda m: f"{cardinal(m[1])} to {cardinal(m[2])}"),
    (
        "seconds",
        r"(?i:(?<=\bafter )|(?<=\bfor )|(?<=\bevery )|(?<=\bwithin )|"
        r"(?<=\babout )|(?<=\btook )|(?<=\bonly )|(?<=\bthan )|(?<=\bwait )"
        r"|(?<=\bunder )|(?<=\bto )|(?<=\bjust ))(\d{1,3})s\b",
        lambda m: f"{cardinal(m[1])} seconds",
    ),
    ("decade", r"(?<![\d,.$])(\d\d)?'?(\d)0'?s\b", decade),
    (
        "year",
        r"(?<!\w)'(\d\d)(?!\w)",
        lambda m: f"oh {cardinal(m[1][1])}" if m[1][0] == "0" else cardinal(m[1]),
    ),
    ("pace", r"(?<!\d)(\d{1,2})['′]\s?(\d{1,2})(?:[\"″]|''|(?!\w))", pace),
]
