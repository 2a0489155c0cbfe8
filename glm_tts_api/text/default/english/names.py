"""English: addresses of the net, and names of letters and digits."""

from __future__ import annotations

import re

from glm_tts_api.text.default.english import numbers
from glm_tts_api.text.default.spelling import EMAIL, ENGLISH_DIGITS, ENGLISH_MARKS, URL, spell_address
from glm_tts_api.text.default.table import Match, Row

_DIRECTIONS = {"N": "north", "S": "south", "E": "east", "W": "west"}


def address(match: Match) -> str:
    return spell_address(match.group(), ENGLISH_MARKS, ENGLISH_DIGITS)


def letters_and_digits(match: Match) -> str:
    """K7PX2M, 7ABC123, 1Z999AA10123456784, DE89 3704 ...: a code, not the name of a thing with its number."""
    runs = re.findall(r"[A-Z]+|\d+| ", match.group())
    begins = len(runs) == 3 and runs[0].isdigit() and len(runs[1]) > 2
    if len(runs) < 4 and not begins and not any(run.isdigit() and len(run) > 4 for run in runs):
        return match.group()
    return " ".join(numbers.digits(run) if run.isdigit() else "," if run == " " else run for run in runs)


ADDRESSES: list[Row] = [
    ("e-mail address", EMAIL, address),
    ("web address", URL, address),
    ("path", r"(?<![\w/.~])~?(?:/[A-Za-z][\w.-]{0,40}){2,9}/?(?!\w)", address),
    ("code", r"\b[A-Z]{2}\d\d(?: [A-Z0-9]{4}){3,7}(?: [A-Z0-9]{1,3})?\b", letters_and_digits),
]
NAMES: list[Row] = [
    (
        "direction",
        r"(?<=\d )([NSEW])\.?(?= (?:\d{1,3}(?:st|nd|rd|th)\b|(?:[A-Z][a-z]{2,15} ){1,3}"
        r"(?:St|Ave|Rd|Blvd|Dr|Street|Avenue|Road|Drive|street|avenue|road|boulevard|drive|lane)\b))",
        lambda m: _DIRECTIONS[m[1]],
    ),
    (
        "direction",
        r"\b((?:I|US|SR|Route|Highway)[- ]\d{1,3} )([NSEW])\b(?!\.\w)",
        lambda m: m[1] + _DIRECTIONS[m[2]],
    ),
    (
        "versus",
        r"(\d(?<![\w.]\d)\d?) ?[vV][sS]?\.? ?(\d{1,2})(?![\w.])",
        lambda m: f"{numbers.cardinal(m[1])} v {numbers.cardinal(m[2])}",
    ),
    ("code", r"\b(?=[A-Z]{0,20}\d)(?=\d{0,20}[A-Z])[A-Z0-9]{5,24}\b(?![.,-]\d)", letters_and_digits),
    (
        "standard",
        r"\b802\.(\d{1,2})([a-z]{0,2})\b",
        lambda m: f"eight oh two point {numbers.cardinal(m[1])} {' '.join(m[2])}",
    ),
    ("war", r"\bWW ?(II?|[12])\b", lambda m: f"world war {'two' if m[1] in ('II', '2') else 'one'}"),
    ("team", r"\b(49|76)ers\b", lambda m: "forty niners" if m[1] == "49" else "seventy sixers"),
]
