"""English: times of day, durations, decades."""

from __future__ import annotations

import re
from collections.abc import Callable

from glm_tts_api.text.default.english import numbers
from glm_tts_api.text.default.english.numbers import cardinal
from glm_tts_api.text.default.english.stops import A_TIME, ANYTHING, stop
from glm_tts_api.text.default.table import Match, Row, after, alternatives, before, names

_DECADES = (
    *("hundreds", "tens", "twenties", "thirties", "forties"),
    *("fifties", "sixties", "seventies", "eighties", "nineties"),
)
_RACE = re.compile(r"\b(?:PR|PB|[Pp]ersonal best|\d+[Kk]|[Mm]arathon|mile|lap|time of|[Cc]locked)\b")
_SCORE = re.compile(
    r"(?i)\b(?:won|win|wins|beat|beats|lost|lose|lead|leads|led|score"
    r"|scored|draw|drew|defeat\w*|victory|tied?|final|set|halftime"
    r"|trail\w*|record)\b"
)


def clock(match: Match) -> str:
    hour, minute, half = int(match[1]), int(match[2]), match[3]
    if (
        not half
        and hour
        and _SCORE.search(before(match, 24))
        and not _RACE.search(before(match, 40) + after(match, 24))
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


_TIME_UNITS = {"d": "day", "h": "hour", "m": "minute", "s": "second", "w": "week", "y": "year"}


def duration_in_letters(match: Match) -> str:
    """5h 30m, 1h23m45s, 2d ago."""
    parts = re.findall(r"(\d+)\s?([dhmswy])", match.group())
    return " ".join(f"{cardinal(n)} {numbers.plural(_TIME_UNITS[unit], n)}" for n, unit in parts)


def left_on_the_clock(match: Match) -> str:
    """2:00 left, 1:35 to go."""
    units = zip(match.groups(), ("minute", "second"), strict=True)
    return " ".join(f"{cardinal(n)} {numbers.plural(unit, str(int(n)))}" for n, unit in units if int(n))


def military(match: Match) -> str:
    """0600 hours, 1430 hrs."""
    hour = f"oh {cardinal(match[1][1])}" if match[1][0] == "0" else cardinal(match[1])
    return f"{hour} {'hundred' if match[2] == '00' else cardinal(match[2])} hours"


def whole_hour(match: Match) -> str:
    return f"{cardinal(match[1])} {match[2].lower()}m"


_SECONDS_BEFORE = re.compile(r"(?i)\b(?:after|for|every|within|about|took|only|than|wait|under|to|just) $")
_SECONDS_BEHIND = re.compile(r" (?:rest|break|timer|interval|plank|hold|timeout|clip|ad|delay|left|later)\b")
_ERA_BEHIND = re.compile(r" (?:kids?|music|hits?|movies?|fashion|style|rock|pop)\b")


def seconds(match: Match) -> str:
    """For 30s, 60s rest; only 80s kids is a decade."""
    told = _SECONDS_BEHIND.match(after(match)) or _SECONDS_BEFORE.search(before(match))
    return f"{cardinal(match[1])} seconds" if told and not _ERA_BEHIND.match(after(match)) else match.group()


def decade(match: Match) -> str:
    century, tens = match[1] or "", int(match[2])
    if not century:
        return _DECADES[tens] if tens else match.group()
    if tens == 0:
        return cardinal(century + "00") + "s" if century.endswith("0") else f"{cardinal(century)} hundreds"
    return f"{cardinal(century)} {_DECADES[tens]}"


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


# Of the Bible, and how they are shortened.
_SHORT_BOOKS = names("""
    Gen=genesis; Ex=exodus; Lev=leviticus; Deut=deuteronomy; Ps=psalm; Prov=proverbs; Isa=isaiah;
    Jer=jeremiah; Ezek=ezekiel; Matt=matthew; Rom=romans; Cor=corinthians; Gal=galatians; Eph=ephesians;
    Phil=philippians; Col=colossians; Thess=thessalonians; Tim=timothy; Heb=hebrews; Rev=revelation;
""")
_BOOKS = {
    *_SHORT_BOOKS,
    *[
        "Genesis",
        "Exodus",
        "Leviticus",
        "Numbers",
        "Deuteronomy",
        "Joshua",
        "Judges",
        "Ruth",
        "Samuel",
        "Kings",
        "Chronicles",
        "Ezra",
        "Nehemiah",
        "Esther",
        "Job",
        "Psalm",
        "Psalms",
        "Proverbs",
        "Ecclesiastes",
        "Isaiah",
        "Jeremiah",
        "Lamentations",
        "Ezekiel",
        "Daniel",
        "Hosea",
        "Joel",
        "Amos",
        "Jonah",
        "Micah",
        "Matthew",
        "Mark",
        "Luke",
        "John",
        "Acts",
        "Romans",
        "Corinthians",
        "Galatians",
        "Ephesians",
        "Philippians",
        "Colossians",
        "Thessalonians",
        "Timothy",
        "Titus",
        "Hebrews",
        "James",
        "Peter",
        "Jude",
        "Revelation",
        "Surah",
        "Quran",
    ],
}


def verse(match: Match) -> str:
    """John 3:16, 1 Cor. 13:4-7."""
    nth, book, chapter, first, last = match.groups()
    spoken = f"{_SHORT_BOOKS.get(book, book)} {cardinal(chapter)} {cardinal(first)}"
    return (f"{numbers.ordinal(nth)} " if nth else "") + spoken + (f" to {cardinal(last)}" if last else "")


# At 5 p.m. Tom left.
_OPENING = re.compile(
    r"(?:^|[.!?:;\"“”(] ?)(?:At|By|Around|About|Before|After|Until|Since|From|Between) (?:about |exactly )?$"
)


def _with_stop(say: Callable[[Match], str]) -> Callable[[Match], str]:
    """`say`, with the full stop of a sentence that ends with the time."""
    return lambda match: say(match) + stop(match, ANYTHING if _OPENING.search(before(match, 24)) else A_TIME)


TIMES: list[Row] = [
    ("military time", r"\b([01]\d|2[0-3])([0-5]\d) ?(?:hours|hrs)\b\.?", _with_stop(military)),
    (
        "lap",
        r"(\d(?<![\d:.]\d)\d?):([0-5]\d)\.(\d{1,3})(?![\d:])",
        lambda m: f"{cardinal(m[1])} {numbers.plural('minute', m[1])} {cardinal(m[2] + '.' + m[3])} seconds",
    ),
    (
        "duration",
        r"(\d(?<![\d:.]\d)\d?):([0-5]\d)(?= (?:left|remaining|to (?:go|play))\b)",
        left_on_the_clock,
    ),
    (
        "duration",
        r"\d(?<![\w.,$]\d)\d{0,2} ?h(?:rs?)? ?\d{1,2} ?m(?:ins?)?\b(?: ?\d{1,2} ?s(?:ecs?)?\b)?"
        r"|(?<![\w.,$])\d{1,2}d ?\d{1,2}h\b(?: ?\d{1,2}m\b)?"
        r"|(?<![\w.,$])\d{1,2}m ?\d{1,2}s\b|(?<![\w.,$])\d{1,3}[dhmswy](?= ago\b)",
        duration_in_letters,
    ),
    ("duration", r"(\d(?<![\d:.]\d)\d?):([0-5]\d):([0-5]\d)(?![\d:])", duration),
    (
        "verse",
        rf"(?:\b([1-3]) )?\b({alternatives(_BOOKS)})\.? (\d{{1,3}}):(\d{{1,3}})(?:-(\d{{1,3}}))?(?![\d:])",
        verse,
    ),
    (
        "hours",
        r"\b(\d{1,2})/(\d{1,2})c\b",
        lambda m: f"{cardinal(m[1])} {cardinal(m[2])} central",
    ),
    ("days", r"\bM-F\b", "monday to friday"),
    ("hours", r"(?<=\d:\d\d)\s?-\s?(?=\d{1,2}(?![\d:%]|\.\d))", " to "),
    ("hours", r"(?i)(?<=:\d\d)\s?[-~—]+\s?(?=\d{1,2}:\d\d)|(?<=[ap]m)\s?[-~—]+\s?(?=\d)", " to "),
    (
        "hours",
        r"(\d(?<![\d:.]\d)\d?)\s?[-~—]\s?(?=\d{1,2}(?::\d\d)?\s?[AaPp]\.?[Mm]\b)",
        lambda m: f"{cardinal(m[1])} to ",
    ),
    (
        "ratio",
        r"(?<![\d:.])(16):(10)(?![\d:])(?!\s?[AaPp]\.?[Mm]\b)",
        lambda m: f"{cardinal(m[1])} to {cardinal(m[2])}",
    ),
    (
        "time",
        r"(?<![\d:.])([01]?\d|2[0-4]):([0-5]\d)(?![\d:])(?:\s?([AaPp])\.?\s?[Mm]\b\.?)?",
        _with_stop(clock),
    ),
    ("time", r"(?<![\d.])(0?[1-9]|1[0-2])\s?([AaPp])\.?\s?[Mm]\b\.?", _with_stop(whole_hour)),
    (
        "ratio",
        r"(\d(?<![\d.:]\d)\d{0,5}):(\d{1,6})(?![\d:])",
        lambda m: f"{cardinal(m[1])} to {cardinal(m[2])}",
    ),
    ("seconds", r"(\d(?<![\w.,$]\d)\d{0,2})s\b", seconds),
    ("decade", r"(?<![\d,.$])(\d\d)?'?(\d)0'?s\b", decade),
    (
        "year",
        r"(?<!\w)'(\d\d)(?!\w)",
        lambda m: f"oh {cardinal(m[1][1])}" if m[1][0] == "0" else cardinal(m[1]),
    ),
    ("pace", r"(?<!\d)(\d{1,2})['′]\s?(\d{1,2})(?:[\"″]|''|(?!\w))", pace),
]
