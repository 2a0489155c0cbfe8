"""Functions that write English numbers as words. The table of number classes names them."""

from __future__ import annotations

import re

from speech_text.default.english.days import MONTHS, in_full, parsed
from speech_text.default.english.numbers import cardinal, digits, ordinal, paired, plural, year
from speech_text.default.number_tagger import Say, by_name, groups, runs


def telephone(number: str) -> str:
    """Returns a telephone number in words, digit by digit, with a pause between its groups. A + before it is
    plus, and 1-800 is one eight hundred."""
    plus, parts = "plus " if number.startswith("+") else "", groups(number)
    if parts[:2] == ["1", "800"]:
        return f"one eight hundred, {', '.join(map(digits, parts[2:]))}"
    return plus + ", ".join(map(digits, parts))


def joined(between: str, say: Say = cardinal) -> Say:
    """Returns a function that writes the numbers of a text as words, with `between` between them."""
    return lambda text: between.join(map(say, runs(text)))


def host(number: str) -> str:
    """Returns a network address in words: 192.168.1.10 -> one nine two dot one six eight dot one dot ten,
    10.0.0.0/8 -> ten dot zero dot zero dot zero slash eight."""
    number, _, bits = number.partition("/")
    if bits:
        return f"{host(number)} slash {cardinal(bits)}"
    address, _, port = number.partition(":")
    spoken = " dot ".join(digits(part) if len(part) > 2 else cardinal(part) for part in runs(address))
    return f"{spoken} colon {digits(port)}" if port else spoken


def dates(number: str) -> str:
    """Returns a date or a span of dates in words: 11/30/2024 -> november thirtieth, twenty twenty four;
    3/14-3/16 -> march fourteenth to march sixteenth."""
    return " to ".join(
        f"{MONTHS[month - 1]} {ordinal(str(day))}" + (f", {year(in_year)}" if in_year else "")
        for in_year, month, day in parsed(number)
    )


def days_first(number: str) -> str:
    """Returns a date whose day comes first in words: 9/11/1962 -> the ninth of november nineteen sixty two,
    3/4 -> the third of april."""
    day, month, *in_year = runs(number)
    return " ".join([f"the {ordinal(day)} of {MONTHS[int(month) - 1]}", *map(year, map(in_full, in_year))])


def span(numbers: str) -> str:
    """Returns a span of numbers in words: 5-10 -> five to ten, 1936-52 -> nineteen thirty six to fifty
    two."""
    first, second = re.split(" ?[-—~] ?", numbers)
    is_year = re.fullmatch(r"(?:1[1-9]|20)\d\d", first) and len(second) == 2
    return f"{year(first) if is_year else cardinal(first)} to {cardinal(second)}"


def season(number: str) -> str:
    """Returns a sports season, which spans two years, in words: 2008-09 -> two thousand eight oh nine."""
    first, second = runs(number)
    return f"{year(first)} {paired('1' + second).split(' ', 1)[1] if second[0] == '0' else cardinal(second)}"


# Numbers with words between them. The names are those of the table of number classes.
_JOINED: dict[str, Say] = {
    "cardinals": joined(" "),  # 4-3-3 -> four three three
    "record": joined(" and "),  # games won, lost and drawn: 10-4-1 -> ten and four and one
    "of": joined(" of "),  # 28/40 -> twenty eight of forty
    "odds": joined(" to "),  # 5/1 -> five to one
    "wickets": joined(" for "),  # 250/5 -> two hundred and fifty for five
    "pairs": joined(" ", paired),  # 747-400 -> seven forty seven four hundred
    # the 7-12700 of i7-12700 -> seven twelve seven hundred
    "chip": joined(
        " ", lambda run: f"{cardinal(run[:2])} {paired(run[2:])}" if len(run) == 5 else paired(run)
    ),
    "dashes": joined(" dash ", paired),  # 2-1 -> two dash one
    "years": joined(" to ", year),  # 1998-2002 -> nineteen ninety eight to two thousand two
    "nth": joined(" to ", ordinal),  # 3rd-5th -> third to fifth
    "games": joined(" and ", lambda run: "oh" if run == "0" else cardinal(run)),  # 2-0 -> two and oh
    "lines": lambda text: " to ".join(map(joined(" "), text.split("-"))),  # 5.5.19-28
    # 1.5e-3 -> one point five times ten to the power of minus three
    "scientific": lambda text: " times ten to the power of ".join(map(cardinal, re.split("[eE]", text))),
    "version": joined(" point ", lambda part: digits(part) if part[0] == "0" else cardinal(part)),
    "minus": lambda text: " minus ".join(map(cardinal, re.split(" ?- ?", text))),  # 12 - 5
    "several": lambda text: plural(cardinal(runs(text)[0]), "2"),  # the 2s of 2s and 10s -> twos
    "with_letter": lambda text: f"{cardinal(text[:-1])} {text[-1]}",  # the 6s of iPhone 6s -> six s
    "frequency": lambda text: joined(" point ", digits)(text) + " megahertz" * text.endswith("z"),  # 120.5
}
SAID = _JOINED | by_name(
    *(cardinal, digits, paired, telephone, host),
    *(dates, days_first, season, span),
)
