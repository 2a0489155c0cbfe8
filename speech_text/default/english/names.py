"""English rules for web and e-mail addresses, for directions, and for names that consist of letters and
digits."""

from __future__ import annotations

import re

from speech_text.default.english import numbers
from speech_text.default.english.stops import STARTERS
from speech_text.default.spelling import EMAIL, ENGLISH_DIGITS, ENGLISH_MARKS, URL, spell_address
from speech_text.default.table import Match, Row, after, before, behind

_POINTS = {
    **{"N": "north", "S": "south", "E": "east", "W": "west"},
    **{"NE": "northeast", "NW": "northwest", "SE": "southeast", "SW": "southwest"},
}
DIRECTIONS = _POINTS | {  # and NNE, ENE and so on
    first + second: f"{_POINTS[first]} {_POINTS[second]}"
    for second in ("NE", "NW", "SE", "SW")
    for first in second
}
_WIND = "[NSEW]|[NS][EW]"
_RUNWAYS = {"L": "left", "R": "right", "C": "center"}
_PIECES = {"K": "king", "Q": "queen", "R": "rook", "B": "bishop", "N": "knight", "": ""}
_FORTS = (
    "Belvoir|Benning|Bliss|Bragg|Campbell|Carson|Collins|Dix|Drum|Hood|Knox|Lauderdale|Lee|Lewis|McHenry"
    "|Meade|Myers|Niagara|Pierce|Polk|Riley|Sill|Smith|Stewart|Sumter|Ticonderoga|Wayne|Worth"
)
_SONG = re.compile(rf"\b(?!(?:{STARTERS}|Downtown|Visit)\b)[A-Z][A-Za-z']{{1,20}}[)\"]? $|[(\[]$")
_COMMAND = re.compile(
    r"\b(?:bash|brew|cd|chmod|chown|conda|cp|curl|docker|git|grep|kubectl|ls|mkdir|mv|npm|npx|pip3?|python3?"
    r"|rm|rsync|scp|sed|ssh|sudo|tar|wc|wget) (?:[\w./~-]{1,20} ){0,3}$"
)
_OPERATOR = re.compile(r"[=<>≤≥+*/]")
_MOVE = r"(?:(?:[a-h]x|[KQRBN][a-h1-8]?x?)?[a-h][1-8](?!\w)|O-O)"
_ENDS = {"+": " check", "#": " mate", "": ""}


def address(match: Match) -> str:
    return spell_address(match.group(), ENGLISH_MARKS, ENGLISH_DIGITS)


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


def featuring(match: Match) -> str:
    """Returns the Ft. of a song in words: Umbrella Ft. Jay-Z -> featuring. The Ft. of at Ft. Bragg stays."""
    return "featuring " if _SONG.search(before(match, 24)) else match.group()


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


def direction(match: Match) -> str:
    return DIRECTIONS[match[match.lastindex or 0]]


ADDRESSES: list[Row] = [
    ("featuring", rf"\b(?:[Ff](?:ea)?t\.|f(?:ea)?t) (?=[A-Z])(?!(?:{_FORTS})\b)", featuring),
    ("e-mail address", EMAIL, address),
    ("web address", URL, address),
    ("path", r"(?<![\w/.~])(?:~|/[A-Za-z][\w.-]{0,40})(?:/[A-Za-z][\w.-]{0,40}){1,9}/?(?!\w)", address),
    ("code", r"\b[A-Z]{2}\d\d(?: [A-Z0-9]{4}){3,7}(?: [A-Z0-9]{1,3})?\b", letters_and_digits),
]
NAMES: list[Row] = [
    ("option", r"(?<=[A-Za-z\d/] )-(?=[A-Za-z]{1,5}\b)", option),
    (
        "charge",
        r"(?:(?<=[A-Z][A-Za-z]\d)|(?<=\b[A-Z]\d)|(?<=\)\d)|(?<=\w\]))([²³]?)([⁺⁻])(?![⁰-⁹\w])",
        charge,
    ),
    ("absolute value", r"\|(-?[A-Za-z\d]{1,3}(?: ?[-+] ?[A-Za-z\d]{1,3})?)\|", absolute),
    (
        "span",
        r"(?<=BC)-(?=\d|AD)|(?<=BCE)-(?=\d)|(?<=\d[rv])-(?=\d{1,3}[rv]\b)|(?<=\dr)-(?=v\b)|(?<=\d0s)-(?='?(?:\d\d)?\d0s\b)|-(?='\d\d\b)(?<=\b(?:19|20)\d\d-)"
        r"|-(?=Z\b)(?<=\b[A-Y]-)|-(?=[C-X]\b.{1,60}-Z\b)(?<=\bA-)",
        " to ",
    ),
    (
        "span",
        r"\b((?i:answers|bands|blocks|columns|exhibits|gates|grades|groups|items|letters|levels|names|options|parts"
        r"|pools|questions|rows|seats|sections|sizes|surnames|vitamins|zones) [A-Z](?=-[A-Z]\b)"
        r"|X{0,3}S(?=-X{0,3}L\b)|[ML](?=-X{1,3}L\b))-",
        r"\1 to ",
    ),
    (
        "direction",
        rf"(?<![\w.'])({_WIND})\b\.?(?= \d{{1,3}}(?:st|nd|rd|th) (?:[Ss]t|[Aa]ve))"
        rf"|(?:(?<=\d )|{behind('on|of|at')})({_WIND})\b\.?"
        r"(?= (?:\d{1,3}(?:st|nd|rd|th)\b|(?:[A-Z][a-z]{2,15} ){1,3}"
        r"(?:St|Ave|Rd|Blvd|Dr|Street|Avenue|Road|Drive|street|avenue|road|boulevard|drive|lane)\b))"
        r"|\b([NSEW])\.(?= (?:Africa|America|Asia|Atlantic|Carolina|Coast|Dakota|Devon|Europe|Germany"
        r"|Ireland|Korea|London|Main|Midlands|Pacific|Sussex|Virginia|Wales|Yorkshire"
        r"|bank|corner|end|entrance|shore|side|wing)\b)",
        direction,
    ),
    (
        "direction",
        rf"(?<![\w.'])(?<![Tt]he )({_WIND})(?= of (?:town\b|here\b|[A-Z][a-z]))"
        rf"|(?<=[a-z] )({_WIND})(?= of the [A-Z]\d)|{behind('km|miles')}({_WIND})(?= of [A-Z])"
        rf"|(?i:{behind('street|avenue|road|boulevard')})({_WIND})\b(?!['.]?\w)",
        direction,
    ),
    (
        "runway",
        rf"(?i:{behind('runway|rwy')})(\d\d?)([LRC])?\b|(?<=ILS )(\d\d?)([LRC])\b",
        lambda m: f"{numbers.digits(m[1] or m[3])} {_RUNWAYS.get(m[2] or m[4], '')}".rstrip(),
    ),
    ("flight level", r"\bFL ?(\d{3})\b", lambda m: f"flight level {numbers.digits(m[1])}"),
    (
        "identifier",
        r"\bCVE-(\d{4})-(\d{4,7})\b",
        lambda m: f"CVE {numbers.year(m[1])}, {numbers.digits(m[2])}",
    ),
    ("name", r"\b(?<![.'’])([A-Za-z])\.(?=\d)", r"\1 "),
    ("dot", r"(?i:(?<=alpha)|(?<=beta)|(?<=rc))\.(?=\d)", " point "),
    ("move", rf"(?<=[a-hO][-1-8O])[+#]? (?=\d\d?(?:\.{{1,3}}|…) ?{_MOVE})", r"\g<0>, "),
    ("move", rf"(\d(?<!\d\d\d)(?<![.-]\d))(?:\.{{1,3}}|…) ?(?={_MOVE})", r"\1 "),
    (
        "move",
        r"(?<![\w.-])(?:([KQRBN])(?=[a-h1-8x])|(?=[a-h]x))([a-h]?[1-8]?)(x?)([a-h][1-8])"
        r"(?:([+#])(?!\w)|(?!\w))(?:[!?]{1,2}(?= [a-z\d]))?",
        move,
    ),
    (
        "direction",
        r"\b((?:I|US|SR|(?i:route|highway))[- ]\d{1,3} )([NSEW])\b(?:\.(?= [a-z]))?(?!\.\w)",
        lambda m: m[1] + DIRECTIONS[m[2]],
    ),
    (
        "direction",
        rf"(?:(?<=\d[°′″'\"])|(?<=\d'')|{behind('degrees|minutes|seconds')})\s?([NSEW])\b(?!['.]?\w)",
        lambda m: f" {DIRECTIONS[m[1]]}",
    ),
    (
        "versus",
        r"(\d(?<![\w.]\d)\d?) ?(?:v|[vV][sS]|V(?= \1\b))\.? ?(\d{1,2})(?![\w.])",
        lambda m: f"{numbers.cardinal(m[1])} v {numbers.cardinal(m[2])}",
    ),
    (
        "code",
        r"\b(?<!\bi\d-)(?=[A-Z]{0,20}\d)(?=\d{0,20}[A-Z])[A-Z0-9]{5,24}\b(?![.,-]\d)",
        letters_and_digits,
    ),
    (
        "standard",
        r"\b((?:ISO|IEC|EN|BS|DIN)(?:[ /][A-Z]{2,3}){0,2} \d{3,5}(?:-\d{1,3})?):((?:19|20)\d\d)\b",
        lambda m: f"{m[1]}, {numbers.year(m[2])}",
    ),
    (
        "standard",
        r"\b802\.(\d{1,2})([a-z]{0,2})\b",
        lambda m: f"eight oh two point {numbers.cardinal(m[1])} {' '.join(m[2])}",
    ),
    ("war", r"\bWW ?(II?|[12])\b", lambda m: f"world war {'two' if m[1] in ('II', '2') else 'one'}"),
    ("team", r"\b(49|76)ers\b", lambda m: "forty niners" if m[1] == "49" else "seventy sixers"),
]
