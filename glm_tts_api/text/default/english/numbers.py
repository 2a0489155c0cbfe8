"""English words for a number: as a cardinal, as an ordinal, as a year, or digit by digit. Works on strings
only."""

from __future__ import annotations

import re

from glm_tts_api.text.default.spelling import english_digits
from glm_tts_api.text.default.table import names
from glm_tts_api.text.english import number_words

_IRREGULAR = names(
    "one=first; two=second; three=third; five=fifth; eight=eighth; nine=ninth; twelve=twelfth;"
)
ROMAN = r"(?=[IVXLC]{1,8}\b)(?!L\b)(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})(?<=[IVXLC])"


def cardinal(number: str) -> str:
    """Returns a number in English words as a cardinal, without commas and hyphens. The digits after a point
    are read one by one: "1234.5" -> "one thousand two hundred and thirty four point five". A "-" before the
    number is "minus"."""
    if number[0] in "-+":
        return ("minus " if number[0] == "-" else "") + cardinal(number[1:])
    whole, _, decimals = number.replace(",", "").partition(".")
    words = number_words(whole or "0").replace(",", "").replace("-", " ")
    return f"{words} point {digits(decimals)}" if decimals else words


def digits(number: str) -> str:
    """Returns digits as words, one by one: "1234" -> "one two three four"."""
    return english_digits(number)


def ordinal(number: str) -> str:
    """Returns a number in English words as an ordinal: "21" -> "twenty first"."""
    lead, _, last = cardinal(number).rpartition(" ")
    if last in _IRREGULAR:
        word = _IRREGULAR[last]
    elif last.endswith("y"):
        word = last[:-1] + "ieth"
    else:
        word = last + "th"
    return f"{lead} {word}".lstrip()


def year(number: str) -> str:
    """Returns a year in words, its digits in pairs: "1998" -> "nineteen ninety eight", "1905" -> "nineteen oh
    five", "2005" -> "two thousand five"."""
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
    """Returns the number of a room, a route or a flight in words, its digits in pairs: "1208" -> "twelve oh
    eight", "101" -> "one oh one", "66" -> "sixty six". A number of more than four digits, or with a 0 at its
    start, is read digit by digit."""
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
    """Returns `noun` as it follows `amount`, which is a number in digits: in the singular after "1",
    otherwise in the plural. An uncountable noun stays as it is."""
    if amount == "1" or _INVARIABLE(noun):
        return noun
    head, per, rest = noun.partition(" per ")
    if head.endswith("foot"):
        return head[:-4] + "feet" + per + rest
    if head in _IRREGULAR_PLURALS:
        return _IRREGULAR_PLURALS[head] + per + rest
    if re.search("(?:s|x|ch|sh)$", head):
        return head if _INVARIABLE(head) else head + "es" + per + rest
    if re.search("[^aeiou]y$", head):
        return head[:-1] + "ies" + per + rest
    return head + "s" + per + rest


_IRREGULAR_PLURALS = names("""
    penny=pence; paisa=paise; degree celsius=degrees celsius; degree fahrenheit=degrees fahrenheit;
    part per million=parts per million; millimeter of mercury=millimeters of mercury;
    pound of force=pounds of force; volt A C=volts A C; volt D C=volts D C;
""")
_INVARIABLE = re.compile(
    "yuan|won|naira|rand|baht|dong|p|fen|jeon|satang|xu|yen|ringgit|sen|(?:kilo|mega|giga)?hertz|horsepower|lux|kelvin"
    r"|(?:mole )?percent|\w{4,5}molar|siemens|r p m|p s i|c c|real"
).fullmatch
