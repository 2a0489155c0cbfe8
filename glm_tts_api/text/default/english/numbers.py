"""English words for a number: a cardinal, an ordinal, a year, digit by digit. Strings only."""

from __future__ import annotations

import re

from glm_tts_api.text.default.spelling import english_digits
from glm_tts_api.text.english import number_words

_IRREGULAR = {
    **{
        "one": "first",
        "two": "second",
        "three": "third",
        "five": "fifth",
        "eight": "eighth",
        "nine": "ninth",
    },
    **{"twelve": "twelfth"},
}
ROMAN = r"(?=[IVXLC]{1,8}\b)(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})(?<=[IVXLC])"


def cardinal(number: str) -> str:
    """A number without the marks that would be heard as pauses; digits after a point one by one."""
    if number[0] in "-+":
        return ("minus " if number[0] == "-" else "") + cardinal(number[1:])
    whole, _, decimals = number.replace(",", "").partition(".")
    words = number_words(whole or "0").replace(",", "").replace("-", " ")
    return f"{words} point {digits(decimals)}" if decimals else words


def digits(number: str) -> str:
    """ "1234" -> "one two three four"."""
    return english_digits(number)


def ordinal(number: str) -> str:
    """ "21" -> "twenty first"."""
    lead, _, last = cardinal(number).rpartition(" ")
    if last in _IRREGULAR:
        word = _IRREGULAR[last]
    elif last.endswith("y"):
        word = last[:-1] + "ieth"
    else:
        word = last + "th"
    return f"{lead} {word}".lstrip()


def year(number: str) -> str:
    """Four digits in pairs; "1905" -> "nineteen oh five", "2005" -> "two thousand five"."""
    century, rest = divmod(int(number), 100)
    if rest == 0:
        return (
            f"{cardinal(str(century // 10))} thousand"
            if century % 10 == 0
            else f"{cardinal(str(century))} hundred"
        )
    if rest < 10:
        lead = "two thousand" if century == 20 else f"{cardinal(str(century))} oh"
        return f"{lead} {cardinal(str(rest))}"
    return f"{cardinal(str(century))} {cardinal(str(rest))}"


def paired(number: str) -> str:
    """Rooms, routes and flights: "1208" -> "twelve oh eight", "101" -> "one oh one", "66" -> "sixty six"."""
    if len(number) < 3:
        return cardinal(number)
    if number[0] == "0" or len(number) > 4:
        return digits(number)
    lead, rest = number[:-2], number[-2:]
    if rest == "00":
        return f"{cardinal(lead)} hundred" if int(lead) % 10 else cardinal(number)
    last = f"oh {digits(rest[1])}" if rest[0] == "0" else cardinal(rest)
    return f"{cardinal(lead)} {last}"


def plural(noun: str, amount: str) -> str:
    """`noun` as it stands after `amount`. An uncountable noun stays as it is."""
    if amount == "1" or noun in _INVARIABLE:
        return noun
    head, per, rest = noun.partition(" per ")
    if head in _IRREGULAR_PLURALS:
        return _IRREGULAR_PLURALS[head] + per + rest
    if re.search("(?:s|x|ch|sh)$", head):
        return head if head in _INVARIABLE else head + "es" + per + rest
    return head + "s" + per + rest


_IRREGULAR_PLURALS = {
    **{"foot": "feet", "inch": "inches", "century": "centuries", "henry": "henries", "penny": "pence"},
    **{
        "foot pound": "foot pounds",
        "pound foot": "pound feet",
        "square foot": "square feet",
        "cubic foot": "cubic feet",
    },
    **{"degree celsius": "degrees celsius", "degree fahrenheit": "degrees fahrenheit"},
    **{"square inch": "square inches", "cubic inch": "cubic inches", "part per million": "parts per million"},
    **{"millimeter of mercury": "millimeters of mercury", "pound of force": "pounds of force"},
}
_INVARIABLE = {
    *(
        "yuan",
        "won",
        "baht",
        "dong",
        "p",
        "fen",
        "jeon",
        "satang",
        "xu",
        "paisa",
        "yen",
        "sen",
        "hertz",
        "kilohertz",
    ),
    *(
        "megahertz",
        "gigahertz",
        "horsepower",
        "lux",
        "kelvin",
        "percent",
        "siemens",
        "r p m",
        "p s i",
        "c c",
        "real",
    ),
}
