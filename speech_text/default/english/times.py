"""English words for times of day, durations, decades and verses, and tests whether 3:15 is a time or a
score."""

from __future__ import annotations

import re
from collections.abc import Iterable

from speech_text.default.data import either
from speech_text.default.english import numbers
from speech_text.default.english.fractions import fraction
from speech_text.default.english.numbers import cardinal
from speech_text.default.english.short_forms import STATES
from speech_text.default.english.verbalise import SAID as NUMBERS
from speech_text.default.number_tagger import Figure, Say, by_name, runs
from speech_text.default.table import names

_DECADES = (
    *("hundreds", "tens", "twenties", "thirties", "forties"),
    *("fifties", "sixties", "seventies", "eighties", "nineties"),
)
_PRICED = re.compile(
    "(?i)\\b(?:chapter|cents?|density|era|interest|odds|peak\\w*|ph|section|version)\\b"
    "|share|stock|bond|sterling|magnitude|gpa|price|traded|trading|yield|rate|index|dollar|euro|pence"
    "|per ?cent|score|ratio|average|\\bcosts?\\b|\\bpaid\\b|%|(?<![,.] )[$£€]"
)
_UNITS = {"d": "day", "h": "hour", "m": "minute", "s": "second", "w": "week", "y": "year"}
_SECONDS_BEFORE = re.compile(
    r"(?i)\b(?:after|for|every|knocked|shaved|within|about|takes?|took|only|than|wait|lasts?|lasted"
    r"|under|to|just) $"
)
_SECONDS_BEHIND = re.compile(
    r" (?:rest|break|timer|interval|plank|hold|timeout|clip|ad|delay|left|later|flat)\b"
)
_ERA_BEHIND = re.compile(r" (?:kids?|music|hits?|movies?|fashion|style|rock|pop)\b")
_RUNNING = re.compile(r"(?i)\b(?:pace|per k|per mile|split|lap|ran|run)|/km|/mi")
# Books of the Bible with a short form, and below holy books and books without one.
_BOOKS = names("""
    Gen=genesis; Ex=exodus; Exod=exodus; Lev=leviticus; Deut=deuteronomy; Ps=psalm; Pss=psalms;
    Prov=proverbs; Isa=isaiah; Jer=jeremiah; Ezek=ezekiel; Matt=matthew; Rom=romans; Cor=corinthians;
    Gal=galatians; Eph=ephesians; Phil=philippians; Col=colossians; Thess=thessalonians; Tim=timothy;
    Heb=hebrews; Pet=peter; Jn=john; Lk=luke; Mk=mark; Mt=matthew; Num=numbers; Josh=joshua; Judg=judges;
    Sam=samuel; Kgs=kings; Chron=chronicles; Eccl=ecclesiastes; Zech=zechariah; Rev=revelation;
    Neh=nehemiah; Esth=esther; Lam=lamentations; Dan=daniel; Hos=hosea; Mic=micah; Hab=habakkuk;
    Mal=malachi; Philem=philemon; Jas=james; Sir=sirach; Macc=maccabees;
""")
_OTHER_BOOKS = "Acts Amos Ezra Job Joel Jonah Jude Koran Qur'an Quran Ruth Sura Surah Titus"
# Short forms of books that are first names too, and a text about a holy book.
_FORENAME = re.compile(r"(?:Phil|Tim|Dan|Sam|Sir) \d+:\d[05]")
_SCRIPTURE = re.compile(
    r"(?i)\b(?:read|reading|verses?|bible|scripture|gospel|psalms?|preach\w*|sermon|NIV|KJV|ESV)\b"
)
PATTERNS = {
    "book": either({*_BOOKS, *map(str.title, _BOOKS.values()), *_OTHER_BOOKS.split()}),
    "appointment": r"(?:(?:pick|drop|kick|check)[- ]?(?:up|off|in|out)|KO|meet|collection|curtain(?: up)?"
    r"|assembly|doors(?: open)?|registration|last \w+|gates|table for \w+|departs|departing|arriving)",
    "event": r"(?i:\b(?:alarm|appointment|arriv\w+|assembly|bed|booked|breakfast|bus(?:es)?|church|clinic"
    r"|coach|coffee|collection|comedy|communion|concert|curtain|depart\w*|dinner|doors|drinks|evensong|ferry"
    r"|(?:check|drop|kick|knock(?:ing)?|pick(?:ed)?)[- ](?:\w+ )?(?:off|up|in|out)|entry|film|gates|headliner"
    r"|home|leav(?:e|es|ing)|lecture|lessons?|lunch|mass|matinee|meeting|meets?|performance|pop|radio"
    r"|registration|rehearsals?|school|seated|seminar|service|sharp|show|supper|surgery|table|there"
    r"|to(?:day|night|morrow)|tour|trains?|trip|tutorial|woke|wake|morning|afternoon|eve(?:ning)?"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)days?)\b)",
    "scored": r"(?i:\b(?:won|win|wins|beat|beats|lost|lose|lead|leads|led|score|scored|draw|drew|defeat\w*"
    r"|victory|tied?|final|set|halftime|trail\w*|record)\b)",
    "state": either({*STATES.values(), "n y", "n j"}),
}


def of_scripture(figure: Figure) -> bool:
    """Returns whether the number `figure` is a verse. Behind a first name such as Phil, full minutes of five
    are a time of day (Phil 4:30), unless the text speaks of the Bible."""
    return figure.mentions(_SCRIPTURE) or not _FORENAME.fullmatch(figure.text)


def lasts(figure: Figure) -> bool:
    """Returns whether the s of the number `figure` means seconds, as in for 30s and 60s rest. In 80s kids it
    is a decade."""
    told = _SECONDS_BEHIND.match(figure.rest) or _SECONDS_BEFORE.search(figure.lead)
    return bool(told and not _ERA_BEHIND.match(figure.rest)) and figure.last_kind != "decade"


def unpriced(figure: Figure) -> bool:
    """Returns whether nothing within 40 characters of the number `figure` speaks of prices, marks or rates: a
    number with a dot may then be a time (meet at 7.30)."""
    return not _PRICED.search(f"{figure.lead[-40:]}_{figure.rest[:40]}")


def timed_too(figure: Figure) -> bool:
    """Returns whether the number `figure` is a time because the number before it is one: from 9.30 to
    4.45."""
    return figure.last_kind == "time" and unpriced(figure)


def tall(figure: Figure) -> bool:
    """Returns whether the number `figure`, such as 5'8", is a height: its second number is under 12, and the
    text is not about running, where it is a pace."""
    runner = _RUNNING.search(figure.lead[-24:]) or _RUNNING.search(figure.rest[:24])
    return not runner and int(runs(figure.text)[1]) < 12


def clock(time: str) -> str:
    """Returns a time of day in words: 5:30 p.m. -> five thirty pm, 21:15 -> twenty one fifteen, 9:05 -> nine
    oh five, 9:00 -> nine o'clock, 14:00 -> fourteen hundred. The minutes after midnight are those of twelve:
    00:01 -> twelve oh one am."""
    hour, minute = [*map(int, runs(time)), None][:2]
    half = re.search("(?i)[ap]", time)
    if re.fullmatch("00:0[1-9]", time):
        return f"twelve oh {cardinal(time[-1])} am"
    said = cardinal(str(hour))
    if minute:
        said += (" oh " if minute < 10 else " ") + cardinal(str(minute))
    elif minute == 0 and not half:
        said += " hundred" if hour == 0 or (hour or 0) > 12 else " o'clock"
    return said + (f" {half[0].lower()}m" if half else "")


def clocks(times: str) -> str:
    """Returns a span of times of day in words: 9am-5pm -> nine am to five pm."""
    return " to ".join(map(clock, re.split("[-~—]+", times)))


def military(time: str) -> str:
    """Returns a military time of day in words: 0600 hours -> oh six hundred hours, 1430 hrs -> fourteen
    thirty hours."""
    hour = f"oh {cardinal(time[1])}" if time[0] == "0" else cardinal(time[:2])
    return f"{hour} {'hundred' if time[2:4] == '00' else cardinal(time[2:4])} hours"


def _parts(amounts: Iterable[str], units: Iterable[str]) -> list[str]:
    return [
        f"{cardinal(n)} {numbers.plural(unit, n.lstrip('0'))}" for n, unit in zip(amounts, units, strict=True)
    ]


def apart(*units: str) -> Say:
    """Returns a function that says the numbers of a text with `units`, without those that are 0."""

    def said(text: str) -> str:
        parts = _parts(runs(text), units)
        return " ".join([part for part in parts if not part.startswith("zero ")] or parts[-1:])

    return said


def duration(time: str) -> str:
    """Returns a duration in words: 1:02:03 -> one hour two minutes and three seconds."""
    hours, minutes, seconds = _parts(runs(time), ("hour", "minute", "second"))
    return f"{hours} {minutes} and {seconds}"


def height(height: str) -> str:
    """Returns a height in words: 5'8" -> five feet eight inches, 6'3 1/2" -> six feet three and a half
    inches."""
    feet, inches, *part = runs(height)
    if part:
        return f"{_parts([feet], ['foot'])[0]} {fraction(' '.join((inches, '/'.join(part))))} inches"
    return apart("foot", "inch")(height)


def lettered(time: str) -> str:
    """Returns a duration whose units are letters in words: 5h 30m -> five hours thirty minutes."""
    amounts, letters = zip(*re.findall(r"(\d+)\s?([dhmswy])", time), strict=True)
    return " ".join(_parts(amounts, map(_UNITS.__getitem__, letters)))


def lap(time: str) -> str:
    """Returns the time of a lap in words: 1:35.20 -> one minute thirty five point two zero seconds."""
    minutes, seconds = time.split(":")
    return f"{cardinal(minutes)} {numbers.plural('minute', minutes)} {cardinal(seconds)} seconds"


def decade(years: str) -> str:
    """Returns a decade in words: 1990s -> nineteen nineties, '90s -> nineties."""
    (number,) = runs(years)
    century, tens = number[:-2], int(number[-2])
    if century and not tens:
        return f"{cardinal(f'{century}00')}s" if century.endswith("0") else f"{cardinal(century)} hundreds"
    return f"{cardinal(century)} {_DECADES[tens]}" if century else _DECADES[tens]


def verse(verse: str) -> str:
    """Returns a verse of a holy book in words: John 3:16 -> John three sixteen, 1 Cor. 13:4-7 -> first
    corinthians thirteen four to seven."""
    book, numbered = verse.rsplit(" ", 1)
    nth, _, name = book.rstrip(".").rpartition(" ")
    said = f"{_BOOKS.get(name, name)} {NUMBERS['lines'](numbered)}"
    return f"{numbers.ordinal(nth)} {said}" if nth else said


SAID = (
    by_name(clock, clocks, military, duration, height, lettered, lap, decade, verse)
    | {
        "left": apart("minute", "second"),  # 5'30", the 2:00 of 2:00 left
        "early": lambda text: " to ".join(
            military(run).removesuffix(" hours") for run in runs(text)
        ),  # 0600-1500
        "central": lambda text: " ".join([*map(cardinal, runs(text)), "central"]),  # 8/7c
        "short_year": lambda year: f"oh {cardinal(year[2])}" if year[1] == "0" else cardinal(year[1:]),  # '05
        "ratio": lambda pair: " to ".join(cardinal(number.strip()) for number in pair.split(":")),  # 1.5:1
    }
)
TESTS = by_name(unpriced, timed_too, of_scripture, lasts, tall)
