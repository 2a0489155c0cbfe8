"""Words for English names that consist of letters, digits and signs: addresses, codes, moves of chess,
directions. Table tokens_en.tsv names the functions."""

from __future__ import annotations

import re

from speech_text.default.english import numbers
from speech_text.default.english.lists import LISTS, any_of
from speech_text.default.spelling import ENGLISH_DIGITS, ENGLISH_MARKS, spell_address
from speech_text.default.table import Match, before

SPELLED = "\ue000"  # a private character, which becomes a blank at the end
_PIECES = {"K": "king", "Q": "queen", "R": "rook", "B": "bishop", "N": "knight", "": ""}
_ENDS = {"+": " check", "#": " mate", "": ""}
# Elements by their symbols, each with the masses that are spoken of.
ISOTOPES = LISTS["isotope"]
# Before a place with a letter and a number: Gate C-14.
_PLACE = re.compile(rf"(?i)\b{any_of('lettered_place')} $")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[a-z])(?=\d)")


def address(text: str) -> str:
    """Returns an address as it is spelled. SPELLED before each word keeps it from being a short form."""
    return re.sub(r"(?<= )(?=\w)", SPELLED, spell_address(text, ENGLISH_MARKS, ENGLISH_DIGITS))


def letters_and_digits(match: Match) -> str:
    """Returns a code with its digits as words, one by one: K7PX2M -> K seven PX two M. A blank becomes a
    comma. A code of at most three runs of letters and digits stays, since it is the name of a thing with its
    number (RTX4090). Runs of five digits or more, and codes such as 7ABC123, do not stay."""
    runs = re.findall(r"[A-Z]+|\d+| ", match.group())
    begins = len(runs) == 3 and runs[0].isdigit() and len(runs[1]) > 2
    if len(runs) < 4 and not begins and not any(run.isdigit() and len(run) > 4 for run in runs):
        return match.group()
    return " ".join(numbers.digits(run) if run.isdigit() else "," if run == " " else run for run in runs)


def move(match: Match) -> str:
    """Returns a move of a chess game in words: Nf3 -> knight f three, exd5 -> e takes d five, Qxh7# -> queen
    takes h seven mate."""
    piece, start, takes, goal, end = match.groups("")
    words = (_PIECES[piece], *start, "takes" if takes else "", *goal)
    return " ".join(numbers.cardinal(word) if word.isdigit() else word for word in words if word) + _ENDS[end]


def isotope(match: Match) -> str:
    """Returns an isotope in words: U-235 -> uranium two thirty five. Names such as I-95 (a road), whose
    number is no mass of the element, stay."""
    name, *masses = ISOTOPES[match[1]].split()
    known = match[2] in masses and not _PLACE.search(before(match))
    return f"{name} {numbers.paired(match[2])} {match[3]}" if known else match.group()


def coordinates(match: Match) -> str:
    """Returns an angle in words: 17°55'48" -> seventeen degrees fifty five minutes forty eight seconds."""
    parts = zip(match.groups()[1:], ("degree", "minute", "second"), strict=True)
    said = (f"{numbers.cardinal(n)} {numbers.plural(unit, n.lstrip('0'))} " for n, unit in parts if n)
    return "minus " * bool(match[1]) + "".join(said)


def humps(name: str) -> str:
    """Returns the words of a name apart: MondayMotivation -> Monday Motivation."""
    return _HUMP.sub(" ", name)


def spelled(code: str) -> str:
    """Returns a code sign by sign: 9Q-4 -> nine Q dash four."""
    return " ".join(ENGLISH_DIGITS.get(char) or ENGLISH_MARKS.get(char, char) for char in code)
