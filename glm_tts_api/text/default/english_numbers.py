"""How the default rules say an English figure: one function a kind of figure, from a match to words."""

from __future__ import annotations

import re

from glm_tts_api.text.default.characters import plain_exponent
from glm_tts_api.text.default.spelling import ENGLISH_DIGITS, ENGLISH_MARKS, english_digits, spell_address
from glm_tts_api.text.english import number_words

Match = re.Match[str]

CURRENCIES = {
    **{"US$": ("dollar", "cent"), "HK$": ("hong kong dollar", "cent"), "A$": ("australian dollar", "cent")},
    **{"C$": ("canadian dollar", "cent"), "S$": ("singapore dollar", "cent"), "$": ("dollar", "cent")},
    **{"NT$": ("taiwan dollar", "cent"), "R$": ("real", "centavo"), "€": ("euro", "cent")},
    **{"£": ("pound", "p"), "¥": ("yuan", "fen"), "￥": ("yuan", "fen"), "₩": ("won", "jeon")},
    **{"₹": ("rupee", "paisa"), "₽": ("rouble", "kopeck"), "฿": ("baht", "satang"), "₫": ("dong", "xu")},
}
TITLES = {
    **{"Mr": "mister", "Mrs": "missus", "Ms": "miss", "Dr": "doctor", "Prof": "professor", "St": "saint"},
    **{"Gov": "governor", "Sen": "senator", "Gen": "general", "Capt": "captain", "Sgt": "sergeant"},
    **{"Lt": "lieutenant", "Col": "colonel", "Rev": "reverend", "Hon": "honorable"},
}
ABBREVIATIONS = {
    **{"etc": "et cetera", "vs": "versus", "approx": "approximately", "dept": "department", "jr": "junior"},
    **{"sr": "senior", "vol": "volume", "fig": "figure", "inc": "incorporated", "ltd": "limited"},
}
_INVARIABLE = {"yuan", "won", "baht", "dong", "p", "fen", "jeon", "satang", "xu", "paisa"}
_SCALES = {
    **{"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion", "t": "trillion"},
    **{word: word for word in ("thousand", "million", "billion", "trillion")},
}
_DECADES = (
    *("hundreds", "tens", "twenties", "thirties", "forties"),
    *("fifties", "sixties", "seventies", "eighties", "nineties"),
)
_MONTHS = (
    "jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec|january|february|march|april|june|july|august"
    "|september|october|november|december"
)
_ENDS_WITH_MONTH = re.compile(rf"\b(?:{_MONTHS})\.?\s*$", re.IGNORECASE)
_MEASURES = re.compile(
    "amu|bar|cm|cwt|db|dm|ds|ft|gb|ghz|gpa|gw|gwh|gy|h|ha|hz|kbps|kcal|kgf|kg|khz|km|kpa|kw|kwh|lb|lbs|m|mb"
    "|mbps|mg|mhz|mi|min|ml|mm|mol|mpa|mph|ms|mv|mw|ng|nm|ns|oz|pa|pg|ps|rad|rpm|sq|cu|tb|tj|tl|v|yd|g|l|s"
)


def dialled(match: Match) -> str:
    """Digits as a number to dial, a pause between its groups."""
    groups = []
    for group in re.findall(r"\d+", match.group()):
        groups += [group[:3], group[3:7], group[7:]] if len(group) == 11 else [group]
    plus = "plus " if match.group().startswith("+") else ""
    return f" {plus}{', '.join(map(english_digits, groups))} "


def one_by_one(match: Match) -> str:
    return english_digits(match.group())


def points(match: Match) -> str:
    """A version or an address of four numbers: the latter digit by digit."""
    parts = match.group().split(".")
    read = english_digits if len(parts) == 4 and max(map(len, parts)) > 1 else number_words
    return f" {' point '.join(map(read, parts)).replace('-', ' ')} "


def address(match: Match) -> str:
    return spell_address(match.group(), ENGLISH_MARKS, ENGLISH_DIGITS)


def cardinal(digits: str) -> str:
    """A whole number without the marks that would be heard as pauses; digits after a point one by one."""
    whole, _, decimals = digits.replace(",", "").partition(".")
    words = number_words(whole).replace(",", "").replace("-", " ")
    return f"{words} point {english_digits(decimals)}" if decimals else words


def standing_alone(match: Match) -> str:
    """A number that is neither measured nor part of a date; a year where it looks like one."""
    start, end = match.span()
    number, before, after = match[1], match.string[max(0, start - 12) : start], match.string[end : end + 14]
    following = re.match(r"\s+([A-Za-z]+)", after)
    word = following[1].lower() if following else ""
    if _MEASURES.fullmatch(word) or _ENDS_WITH_MONTH.search(before) or re.fullmatch(_MONTHS, word):
        return number
    is_counted = word.endswith("s") and word not in ("was", "has", "is", "as", "does")
    if re.fullmatch(r"1[1-9]\d\d|20\d\d", number) and not is_counted:
        return _year(int(number))
    return cardinal(number)


def _year(year: int) -> str:
    century, rest = divmod(year, 100)
    if rest == 0:
        return "two thousand" if century == 20 else f"{cardinal(str(century))} hundred"
    if rest < 10:
        lead = "two thousand" if century == 20 else f"{cardinal(str(century))} oh"
        return f"{lead} {number_words(str(rest))}"
    return f"{cardinal(str(century))} {cardinal(str(rest))}"


def clock(match: Match) -> str:
    hour, minute, half = int(match[1]), int(match[2]), match[3]
    words = number_words(str(hour))
    if minute:
        words += (" oh " if minute < 10 else " ") + number_words(str(minute))
    elif not half:
        words += " o'clock"
    return words.replace("-", " ") + (f" {half.lower()}m" if half else "")


def duration(match: Match) -> str:
    hours, minutes, seconds = (
        f"{cardinal(part)} {_plural(noun, int(part))}"
        for part, noun in zip(match.groups(), ("hour", "minute", "second"), strict=True)
    )
    return f"{hours} {minutes} and {seconds}"


def whole_hour(match: Match) -> str:
    return f"{number_words(match[1])} {match[2].lower()}m"


def money(match: Match) -> str:
    major, minor = CURRENCIES[match[1].upper()]
    first, second, scale = match[2].replace(",", ""), match[3], _SCALES.get((match[4] or "").lower())
    whole, _, cents = first.partition(".")
    if second or scale or len(cents) not in (0, 2):
        amount = cardinal(first) + (f" to {cardinal(second)}" if second else "")
        return f"{amount} {scale + ' ' if scale else ''}{_plural(major, 2)} "
    spoken = f"{cardinal(whole)} {_plural(major, 1 if whole == '1' else 2)}"
    if not cents.strip("0"):
        return f"{spoken} "
    small = f"{cardinal(cents)} {_plural(minor, int(cents))} "
    return small if not whole.strip("0") else f"{spoken} and {small}"


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 or noun in _INVARIABLE else noun + "s"


def decade(match: Match) -> str:
    century, tens = match[1] or "", int(match[2])
    if not century:
        return _DECADES[tens] if tens else match.group()
    if tens == 0 and century.endswith("0"):
        return number_words(century + "00") + "s"
    return f"{number_words(century).replace('-', ' ')} {_DECADES[tens]}"


def number_range(match: Match) -> str:
    first, second, after = match[1], match[3], match.string[match.end() : match.end() + 3]
    if match[2] == "-" and re.match(r"\s*=", after):
        return f"{first} minus {second}"
    return f"{first} to {second}"


def title(match: Match) -> str:
    return TITLES[match[1] or match[2]] + " "


def abbreviation(match: Match) -> str:
    return ABBREVIATIONS[match[1].lower()]


def exponent(match: Match) -> str:
    power = plain_exponent(match[2]).replace("-", " minus ").replace("+", "")
    return f"{match[1]} to the power of {power}"


def scientific(match: Match) -> str:
    exponent = match[2].replace("-", "minus ").replace("+", "")
    return f"{match[1]} times ten to the power of {exponent}"
