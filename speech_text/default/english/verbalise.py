"""Functions that write English numbers as words. The table of number classes names them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from speech_text.default.english.classify import BOOKS
from speech_text.default.english.numbers import cardinal, digits, fraction, ordinal, paired, plural, year
from speech_text.default.number_tagger import Say, by_name, groups, runs

_UNITS = {"d": "day", "h": "hour", "m": "minute", "s": "second", "w": "week", "y": "year"}


def telephone(number: str) -> str:
    """Returns a telephone number in words, digit by digit, with a pause between its groups. A + before it is
    plus, and 1-800 is one eight hundred."""
    plus, parts = "plus " if number.startswith("+") else "", groups(number)
    if parts[:2] == ["1", "800"]:
        return f"one eight hundred, {', '.join(map(digits, parts[2:]))}"
    return plus + ", ".join(map(digits, parts))


def joined(between: str, say: Say = cardinal, split: str = "[^0-9]+") -> Say:
    """Returns a function that writes the numbers of a text as words, with `between` between them. `split` is
    the pattern of what parts two numbers."""
    return lambda text: between.join(map(say, filter(None, re.split(split, text))))


def host(number: str) -> str:
    """Returns a network address in words: 192.168.1.10 -> one nine two dot one six eight dot one dot ten,
    10.0.0.0/8 -> ten dot zero dot zero dot zero slash eight."""
    number, _, bits = number.partition("/")
    if bits:
        return f"{host(number)} slash {cardinal(bits)}"
    address, _, port = number.partition(":")
    spoken = " dot ".join(digits(part) if len(part) > 2 else cardinal(part) for part in runs(address))
    return f"{spoken} colon {digits(port)}" if port else spoken


def span(numbers: str) -> str:
    """Returns a span of numbers in words: 5-10 -> five to ten, 1936-52 -> nineteen thirty six to fifty
    two."""
    first, second = re.split(" ?[-—~] ?", numbers)
    is_year = re.fullmatch(r"(?:1[1-9]|20)\d\d", first) and len(second) == 2
    return f"{year(first) if is_year else cardinal(first)} to {cardinal(second)}"


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


def military(time: str) -> str:
    """Returns a military time of day in words: 0600 -> oh six hundred, 1430 -> fourteen thirty."""
    hour = f"oh {cardinal(time[1])}" if time[0] == "0" else cardinal(time[:2])
    return f"{hour} {'hundred' if time[2:4] == '00' else cardinal(time[2:4])}"


def _parts(amounts: Iterable[str], *units: str) -> list[str]:
    return [f"{cardinal(n)} {plural(unit, n.lstrip('0'))}" for n, unit in zip(amounts, units, strict=True)]


def apart(*units: str) -> Say:
    """Returns a function that says the numbers of a text with `units`, without those that are 0."""

    def said(text: str) -> str:
        parts = _parts(runs(text), *units)
        return " ".join([part for part in parts if not part.startswith("zero ")] or parts[-1:])

    return said


def height(height: str) -> str:
    """Returns a height in words: 5'8" -> five feet eight inches, 6'3 1/2" -> six feet three and a half
    inches."""
    feet, *inches = runs(height)
    if len(inches) > 1:
        return f"{_parts([feet], 'foot')[0]} {fraction(height.partition(feet)[2])} inches"
    return apart("foot", "inch")(height)


def lettered(time: str) -> str:
    """Returns a duration whose units are letters in words: 5h 30m -> five hours thirty minutes."""
    return " ".join(_parts(runs(time), *(_UNITS[unit] for unit in re.findall(r"\d\s?([dhmswy])", time))))


def decade(years: str) -> str:
    """Returns a decade in words: 1990s -> nineteen nineties, '90s -> nineties."""
    (number,) = runs(years)
    century, tens = number[:-2], number[-2]
    if century.endswith("0") and tens == "0":
        return f"{cardinal(f'{century}00')}s"
    said = "hundreds" if tens == "0" else plural(cardinal(f"{tens}0"), "2")
    return f"{cardinal(century)} {said}" if century else said


_lines = joined(" to ", joined(" "), "-")


def verse(verse: str) -> str:
    """Returns a verse of a holy book in words: John 3:16 -> John three sixteen, 1 Cor. 13:4-7 -> first
    corinthians thirteen four to seven."""
    book, numbered = verse.rsplit(" ", 1)
    nth, _, name = book.rstrip(".").rpartition(" ")
    said = f"{BOOKS.get(name, name)} {_lines(numbered)}"
    return f"{ordinal(nth)} {said}" if nth else said


# Numbers with words between them. The names are those of the table of number classes.
_JOINED: dict[str, Say] = {
    "cardinals": joined(" "),  # 4-3-3 -> four three three
    "record": joined(" and "),  # games won, lost and drawn: 10-4-1 -> ten and four and one
    "of": joined(" of "),  # 28/40 -> twenty eight of forty
    "out_of": joined(" out of ", split="/"),  # 4.5/5
    "odds": joined(" to "),  # 5/1 -> five to one
    "ratio": joined(" to ", split=" ?: ?"),  # 1.5:1
    "wickets": joined(" for "),  # 250/5 -> two hundred and fifty for five
    "over": joined(" over "),  # 120/80 -> one hundred and twenty over eighty
    "pressure": lambda text: f"{joined(' over ')(text)} millimeters of mercury",
    "pairs": joined(" ", paired),  # 747-400 -> seven forty seven four hundred
    # the 7-12700 of i7-12700 -> seven twelve seven hundred
    "chip": joined(
        " ", lambda run: f"{cardinal(run[:2])} {paired(run[2:])}" if len(run) == 5 else paired(run)
    ),
    "dashes": joined(" dash ", paired),  # 2-1 -> two dash one
    "years": joined(" to ", year),  # 1998-2002 -> nineteen ninety eight to two thousand two
    "short_year": joined("", year),  # '05 -> oh five
    "season": joined(" ", year),  # 2008-09 -> two thousand eight oh nine
    "nth": joined(" to ", ordinal),  # 3rd-5th -> third to fifth
    "games": joined(" and ", lambda run: "oh" if run == "0" else cardinal(run)),  # 2-0 -> two and oh
    "lines": _lines,  # 5.5.19-28
    "scientific": joined(" times ten to the power of ", split="[eE]"),  # 1.5e-3
    "version": joined(" point ", lambda part: digits(part) if part[0] == "0" else cardinal(part)),
    "minus": joined(" minus ", split=" ?- ?"),  # 12 - 5
    "fractions": joined(" to ", lambda n: fraction(n) if "/" in n else cardinal(n), " ?[-~—–] ?"),  # 1/3-2/3
    "thread": joined(" ", lambda n: fraction(n) if "/" in n else cardinal(n), "-"),  # 1/4-20
    "several": lambda text: plural(cardinal(runs(text)[0]), "2"),  # the 2s of 2s and 10s -> twos
    "with_letter": lambda text: f"{cardinal(text[:-1])} {text[-1]}",  # the 6s of iPhone 6s -> six s
    "frequency": lambda text: joined(" point ", digits)(text) + " megahertz" * text.endswith("z"),  # 120.5
    "clocks": joined(" to ", clock, "[-~—]+"),  # 9am-5pm -> nine am to five pm
    "military": joined(" to ", military),  # 0600-1500
    "hours": lambda text: f"{military(text)} hours",
    "central": lambda text: f"{joined(' ')(text)} central",  # 8/7c
    # 1:02:03 -> one hour two minutes and three seconds
    "duration": lambda time: "{} {} and {}".format(*_parts(runs(time), "hour", "minute", "second")),
    "lap": lambda time: " ".join(_parts(time.split(":"), "minute", "second")),  # 1:35.20
    "left": apart("minute", "second"),  # 5'30", the 2:00 of 2:00 left
}
SAID = _JOINED | by_name(
    *(cardinal, digits, paired, telephone, host, span),
    *(fraction, clock, height, lettered, decade, verse),
)
