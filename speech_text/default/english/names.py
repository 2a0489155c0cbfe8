"""Words for English names that consist of letters, digits and signs: addresses, codes, moves of chess,
directions. Table tokens_en.tsv names the functions."""

from __future__ import annotations

import re

from speech_text.default.english import numbers
from speech_text.default.english.short_forms import SHORT_STATES
from speech_text.default.english.stops import stop
from speech_text.default.number_tagger import by_name
from speech_text.default.spelling import ENGLISH_DIGITS, ENGLISH_MARKS, spell_address
from speech_text.default.table import Match, after, before, names

SPELLED = "\ue000"  # a private character, which becomes a blank at the end
_POINTS = {
    **{"N": "north", "S": "south", "E": "east", "W": "west"},
    **{"NE": "northeast", "NW": "northwest", "SE": "southeast", "SW": "southwest"},
}
DIRECTIONS = _POINTS | {  # and NNE, ENE and so on
    first + second: f"{_POINTS[first]} {_POINTS[second]}"
    for second in ("NE", "NW", "SE", "SW")
    for first in second
}
_RUNWAYS = {"L": "left", "R": "right", "C": "center"}
_PIECES = {"K": "king", "Q": "queen", "R": "rook", "B": "bishop", "N": "knight", "": ""}
_COMMAND = re.compile(
    r"\b(?:bash|brew|cd|chmod|chown|conda|cp|curl|docker|git|grep|kubectl|ls|mkdir|mv|npm|npx|pip3?|python3?"
    r"|rm|rsync|scp|sed|ssh|sudo|tar|wc|wget) (?:[\w./~-]{1,20} ){0,3}$"
)
_OPERATOR = re.compile(r"[=<>≤≥+*/]")
_ENDS = {"+": " check", "#": " mate", "": ""}
# Elements by their symbols, each with the masses that are spoken of.
ISOTOPES = names("""
    He=helium 3 4; C=carbon 11 12 13 14; N=nitrogen 13 15; O=oxygen 15 16 18; Na=sodium 22 24;
    P=phosphorus 32 33; K=potassium 40; Fe=iron 55 56 59; Co=cobalt 57 60; Ni=nickel 58 60 63; Kr=krypton 85;
    Sr=strontium 87 89 90; Tc=technetium 99; I=iodine 123 124 125 127 129 131; Xe=xenon 133 135;
    Cs=cesium 133 134 137; Po=polonium 210; Rn=radon 222; Ra=radium 226 228; Th=thorium 230 232;
    U=uranium 233 234 235 238; Am=americium 241; Pu=plutonium 238 239 240 241; Pb=lead 204 206 207 208 210;
""")
# Before a place with a letter and a number: Gate C-14.
_PLACE = re.compile(
    r"(?i)\b(?:aisle|apartment|bay|block|booth|building|exit|flat|floor|gate|hall|level|locker|lot|room"
    r"|row|seat|section|stand|suite|table|unit|zone) $"
)
STATES = {form.upper(): said for form, said in SHORT_STATES.items()} | SHORT_STATES
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[a-z])(?=\d)")


def address(match: Match) -> str:
    """Returns an address as it is spelled. SPELLED before each word keeps it from being a short form."""
    return re.sub(r"(?<= )(?=\w)", SPELLED, spell_address(match.group(), ENGLISH_MARKS, ENGLISH_DIGITS))


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


def option(match: Match) -> str:
    """Returns the hyphen of a command's option in words: the - of git push -u -> dash."""
    return "dash " if _COMMAND.search(before(match, 40)) else match[0]


def charge(match: Match) -> str:
    """Returns the charge of an ion in words: the ²⁻ of SO4²⁻ -> two minus."""
    size = {"²": " two", "³": " three", "": ""}[match[1]]
    return f"{size} {'plus' if match[2] == '⁺' else 'minus'}"


def absolute(match: Match) -> str:
    """Returns an absolute value in words: f(x) = |x| -> the absolute value of x. Elsewhere the bars are those
    of a table or a list."""
    in_sum = _OPERATOR.search(before(match, 2)) or _OPERATOR.match(after(match, 2).strip())
    return f"the absolute value of {match[1]}" if in_sum else match[0]


def isotope(match: Match) -> str:
    """Returns an isotope in words: U-235 -> uranium two thirty five. Names such as I-95 (a road), whose
    number is no mass of the element, stay."""
    name, *masses = ISOTOPES[match[1]].split()
    known = match[2] in masses and not _PLACE.search(before(match))
    return f"{name} {numbers.paired(match[2])} {match[3]}" if known else match.group()


def state(match: Match) -> str:
    """Returns a short name of a US state in words: the Ind. of Gary, Ind. -> indiana. The Pa in Thanks, Pa
    stays."""
    lead = before(match, 24)
    place = re.search(r"(?!(?:Hello|Okay|Sorry|Thanks|Well)\b)\b[A-Z][A-Za-z]{3,}, $|[(-]$", lead)
    return STATES[match[1]] if place else match.group()


def coordinates(match: Match) -> str:
    """Returns an angle in words: 17°55'48" -> seventeen degrees fifty five minutes forty eight seconds."""
    parts = zip(match.groups()[1:], ("degree", "minute", "second"), strict=True)
    said = (f"{numbers.cardinal(n)} {numbers.plural(unit, n.lstrip('0'))} " for n, unit in parts if n)
    return "minus " * bool(match[1]) + "".join(said)


def hashtag(match: Match) -> str:
    """Returns a hashtag with its words apart: #MondayMotivation -> hashtag Monday Motivation."""
    return f"hashtag {_HUMP.sub(' ', match[1])}"


def postcode(match: Match) -> str:
    """Returns a British postcode in words: S33 8WP -> S thirty three, eight W P."""
    area, district, sector, unit = match.groups()
    number = re.sub(r"\d+", lambda digits: f" {numbers.cardinal(digits[0])} ", district)
    return f"{' '.join(area)}{number.rstrip()}, {numbers.cardinal(sector)} {' '.join(unit)}"


def grid(match: Match) -> str:
    """Returns a grid reference in words: SK 123 845 -> grid reference S K one two three, eight four five."""
    square, digits = match[1], match[2].replace(" ", "")
    half = len(digits) // 2
    return (
        f"grid reference {' '.join(square)} {numbers.digits(digits[:half])}, {numbers.digits(digits[half:])}"
    )


def stars(match: Match) -> str:
    return re.sub(r"\*+", lambda marks: "double star" if len(marks[0]) > 1 else "star", match[0])


def _letters(code: str) -> str:
    return " ".join(numbers.digits(char) if char.isdigit() else char for char in code)


def direction(match: Match) -> str:
    """Returns a direction in words, behind the rest of the match: the I-5 N of I-5 N. -> I-5 north."""
    group = match.lastindex or 0
    lead = match[0][: match.start(group) - match.start()]
    blank = "" if lead or before(match, 1) in ("", " ", "(") else " "
    return f"{lead}{blank}{DIRECTIONS[match[group]]}"


SAID = by_name(
    *(address, letters_and_digits, move, option, charge, absolute, isotope, coordinates, hashtag),
    *(postcode, grid, stars, direction),
) | {
    "state": lambda m: state(m) + stop(m),
    "runway": lambda m: f"{numbers.digits(m[1])} {_RUNWAYS.get(m[2], '')}".rstrip(),
    "flight_level": lambda m: f"flight level {numbers.digits(m[1])}",
    "vulnerability": lambda m: f"CVE {numbers.year(m[1])}, {numbers.digits(m[2])}",
    "standard": lambda m: f"{m[1]}, {numbers.year(m[2])}",
    "hexadecimal": lambda m: f"zero x {_letters(m[1])}",
    "color": lambda m: f"hash {_letters(m[1])}",
    "handle": lambda m: f"at {m[1].replace('_', ' underscore ')}",
    "keys": lambda m: f"star {m[1].replace('#', 'hash ').replace('*', ' star ')} hash",
}
