"""Words for English powers, charges, symbols and divisors. Table signs_en.tsv names the functions."""

from __future__ import annotations

import re
import unicodedata

from speech_text.default.characters import plain_exponent
from speech_text.default.data import either
from speech_text.default.english import numbers
from speech_text.default.english.numbers import cardinal
from speech_text.default.english.units import PER, UNITS
from speech_text.default.number_tagger import by_name
from speech_text.default.table import Match, before

GREEK = {
    letter: unicodedata.name(letter).split()[-1].lower().replace("lamda", "lambda")
    for letter in "αβγδεζηθικλμνξοπρςστυφχψωΓΔΘΛΞΠΣΦΨΩ"
} | {"µ": "mu"}
_POWERS = {"2": "squared", "3": "cubed"}
NUMERALS = (
    "minus|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty"
    "|(?:thir|four|fif|six|seven|eigh|nine)t(?:een|y)|fort?y"
)
OF_POWERS = UNITS | {"C": "coulomb", "F": "farad", "T": "tesla"}  # units behind a power of ten
# Text before a slash and a word such as day that tells an amount: requests/second, six/day.
_AMOUNT = re.compile(
    rf"(?i)(?:[a-z]s|\b(?:p|x|cost|feet|hertz|hundred|k|once|people|person"
    rf"|percent|price|rate|rent|req|thousand|twice|[mb]illion|{NUMERALS}"
    rf"|{either(unit for unit in UNITS if unit.isalpha() and len(unit) < 4 and unit != 's')}))$"
)


def exponent(match: Match) -> str:
    """Returns a power with its exponent in words: 10⁻³ -> 10 to the power of minus three, x^2 -> x squared.
    The base stays. An exponent that ends with + or - is the charge of an ion: 2+ -> two plus."""
    power = plain_exponent(match[2].strip("^{}() "))
    unit = f"{numbers.plural(OF_POWERS[match[3]], '2')} " if match[3] else ""
    if re.fullmatch(r"\d*[+-]", power):  # the exponent is the charge of an ion
        charge = cardinal(power[:-1]) if power[:-1] else ""
        return f"{match[1]} {charge} {'plus' if power[-1] == '+' else 'minus'} "
    if power in _POWERS:
        return f"{match[1]} {_POWERS[power]} {unit}"
    if re.fullmatch(r"[+-]?\d{1,9}", power):
        power = cardinal(power.removeprefix("+"))
    return f"{match[1]} to the power of {power.replace('-', 'minus ').replace('+', 'plus ')} {unit}"


def per(match: Match) -> str:
    """Returns a slash and a unit in words: 20 req/min -> per minute. The night of day/night and the s of
    friend/s stay."""
    word = match[1] in ("s", "day") or re.fullmatch("[a-z]{4,}", match[1])
    amount = not word or _AMOUNT.search(before(match))
    return f" per {PER[match[1]]}" if amount else match.group()


SAID = by_name(exponent, per)
