"""Words for English powers, charges, divisors, and for numbers of no class. The tables of tokens name the
functions."""

from __future__ import annotations

import re
import unicodedata

from speech_text.default.characters import plain_exponent
from speech_text.default.data import Words, either
from speech_text.default.english.lists import any_of
from speech_text.default.english.measures import PER, SCALES, UNITS
from speech_text.default.english.numbers import cardinal, paired, plural, year
from speech_text.default.table import Match, after, before

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
_CODE = either(Words().names("code", "english"))
_MEASURED = re.compile(
    rf"\s?(?:(?:{either(UNITS)})(?![A-Za-z])|[%°/x×*+=^:€£¥$-]|(?:{either(SCALES)}|{_CODE})\b)|\.\d"
)
_CODED = re.compile(rf"\b(?:{_CODE}) $")
_JOINED = re.compile(r"[^\s(\"]$|[$£€¥₹]\s$")
_YEAR = re.compile(r"1[1-9]\d\d|20\d\d").fullmatch
# A number of three digits that counts nothing is a name: the 405, a 404.
_DEFINITE = re.compile(r"(?i)\b(?:the|an?|every|old|another|this|that) $")
_NAME = re.compile(r"[1-9]\d\d(?<!00)").fullmatch
_NO_NOUN = re.compile(
    r"[.,;:!?)]|$| (?:an?|are|as|at|both|by|for|from|he|I|i[fns]|on|she|th(?:e|en|ey)|to|was|we|when|with|you"
    r"|near|runs|(?:bus|plan|train|tram|visa)|[A-Z]\w+)\b"
)
_SUM = re.compile(
    rf"(?i)\b(?:equals|plus|minus|times|divided by|nearly|over|almost|only|weighs|costs"
    rf"|{any_of('weighed')} of)\s$"
)
_WHEN = re.compile(r"(?i)\b(?:after|before|by|in|since|until) $")
_COUNTED = re.compile(
    "(?!(?:was|has|his|its|is|as|does|this|us|olympics|games|news|finals|census|crisis)$).*s"
    "|people|percent|square|cubic|million|men|women|children|feet|more|different|new"
).fullmatch


def exponent(match: Match) -> str:
    """Returns a power with its exponent in words: 10⁻³ -> 10 to the power of minus three, x^2 -> x squared.
    The base stays. An exponent that ends with + or - is the charge of an ion: 2+ -> two plus."""
    power = plain_exponent(match[2].strip("^{}() "))
    unit = f"{plural(OF_POWERS[match[3]], '2')} " if match[3] else ""
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


def without_commas(match: Match) -> str:
    """Returns a number without its thousands separators. It stays in digits if it has at most 12 digits, and
    a unit, a sign or a currency stands next to it. Otherwise it is written in words, since later rules would
    take its bare digits for a year or a name."""
    number = match.group().replace(",", "")
    beside = _MEASURED.match(after(match)) or _CODED.search(before(match)) or _JOINED.search(before(match, 2))
    return number if beside and len(number) <= 12 else cardinal(number)


def lakhs(match: Match) -> str:
    """Returns an Indian number in words: 1,20,000 -> one lakh twenty thousand, ₹2,00,000 -> two lakh
    rupees."""
    crores, rest = divmod(int(match[2].replace(",", "")), 10_000_000)
    parts = ((crores, " crore"), (rest // 100_000, " lakh"), (rest % 100_000, ""))
    said = " ".join(cardinal(str(amount)) + scale for amount, scale in parts if amount)
    paise = f" and {cardinal(match[3])} paise" if match[3] and match[3] != "00" else ""
    return f"{said} rupees{paise}" if match[1] else said


def standing_alone(match: Match) -> str:
    """Returns, in words, a number that no earlier rule has read: as a year if it looks like one (1998) and
    counts nothing, otherwise as a cardinal."""
    number, lead = match[1], before(match, 20)
    following = re.match(r"\s+([A-Za-z]+)", after(match, 16))
    word = following[1] if following else ""
    # In 1492 Columbus, after 1945 things changed; but after 1500 meters.
    named = _WHEN.search(lead) and (word[:1].isupper() or not number.endswith("0"))
    is_counted = not named and not word.isupper() and _COUNTED(word.lower())
    is_year = _YEAR(number) and not is_counted and not _SUM.search(lead)
    if is_year:
        return year(number)
    is_name = _NAME(number) and _DEFINITE.search(lead) and _NO_NOUN.match(after(match, 16))
    return paired(number) if is_name else cardinal(number)
