"""English words for a number: a cardinal, an ordinal, a year, a fraction, or digit by digit. Works on strings
only."""

from __future__ import annotations

import re

from speech_text.default.data import names
from speech_text.default.number_tagger import runs
from speech_text.default.spelling import ENGLISH_DIGITS
from speech_text.english import number_words

_IRREGULAR = names(
    "one=first; two=second; three=third; five=fifth; eight=eighth; nine=ninth; twelve=twelfth;"
)
_PARTS = {"2": "half", "3": "third", "4": "quarter"}
ROMAN = r"(?=[IVXLC]{1,8}\b)(?!L\b)(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})(?<=[IVXLC])"


def cardinal(number: str) -> str:
    """Returns a number in English words as a cardinal, without commas and hyphens. The digits after a point
    are read one by one: "1234.5" -> "one thousand two hundred and thirty four point five". A "-" before the
    number is "minus". Blanks in the number are passed over: "1 000" -> "one thousand"."""
    if number[0] in "-+":
        return ("minus " if number[0] == "-" else "") + cardinal(number[1:])
    whole, _, decimals = re.sub("[ ,]", "", number).partition(".")
    words = number_words(whole or "0").replace(",", "").replace("-", " ")
    return f"{words} point {digits(decimals)}" if decimals else words


def digits(number: str) -> str:
    """Returns digits as words, one by one: "1234" -> "one two three four"."""
    return " ".join(ENGLISH_DIGITS[digit] for digit in number)


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
    five", "2005" -> "two thousand five", "05" -> "oh five"."""
    early = re.fullmatch("(20)?0([1-9])", number)
    return f"{'two thousand' if early[1] else 'oh'} {cardinal(early[2])}" if early else paired(number)


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


def fraction(text: str) -> str:
    """Returns a fraction in words: 3/4 -> three quarters, 1 1/2 -> one and a half, 11/10 -> eleven over
    ten."""
    minus, text = ("minus ", text[1:]) if text[0] == "-" else ("", text)
    *wholes, first, second = runs(text)
    if (int(first) >= int(second) and int(second) > 9) or len(first) > 2:
        return f"{minus}{cardinal(first)} over {cardinal(second)}"
    if wholes:
        minus += f"{cardinal(wholes[0])} and "
    part, one = _PARTS.get(second) or ordinal(second), "a" if wholes and second == "2" else "one"
    return minus + (f"{one} {part}" if first == "1" else f"{cardinal(first)} {_plural(part)}")


def plural(noun: str, amount: str) -> str:
    """Returns `noun` as it follows `amount`, which is a number in digits: in the singular after "1",
    otherwise in the plural. An uncountable noun stays as it is."""
    if amount == "1":
        return noun
    head, per, rest = noun.partition(" per ")
    return _plural(head) + per + rest


def counted(noun: str, amount: str) -> str:
    """Returns `amount` in digits with `noun` behind: counted("penny", "2") -> "2 pence"."""
    return f"{amount.strip()} {plural(noun, amount.strip())}"


def _plural(noun: str) -> str:
    if _INVARIABLE(noun):
        return noun
    if noun in _IRREGULAR_PLURALS:
        return _IRREGULAR_PLURALS[noun]
    if noun.endswith("foot"):
        return noun[:-4] + "feet"
    if re.search("(?:s|x|ch|sh)$", noun):
        return noun + "es"
    return noun[:-1] + "ies" if re.search("[^aeiou]y$", noun) else noun + "s"


_IRREGULAR_PLURALS = names("""
    half=halves; penny=pence; paisa=paise; degree celsius=degrees celsius; pound of force=pounds of force;
    degree fahrenheit=degrees fahrenheit; millimeter of mercury=millimeters of mercury;
    volt A C=volts A C; volt D C=volts D C;
""")
_INVARIABLE = re.compile(
    "yuan|won|hundredweight|naira|rand|baht|dong|p|fen|jeon|satang|xu|yen|ringgit|sen|(?:kilo|mega|giga)?hertz|horsepower|lux|kelvin"
    r"|(?:mole )?percent|\w{4,5}molar|siemens|r p m|p s i|c c|real"
).fullmatch
