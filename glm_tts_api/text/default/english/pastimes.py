"""English rules for the signs of pastimes: cards, music, knitting, racing, crosswords, sailing."""

from __future__ import annotations

import re

from glm_tts_api.text.default.english import numbers
from glm_tts_api.text.default.table import Match, Row, after, before, names

_NEAR = 60  # characters to either side that are examined
_SUITS = {"♤": "spade", "♡": "heart", "♢": "diamond", "♧": "club"}
_RANKS = {"A": "ace", "K": "king", "Q": "queen", "J": "jack"}
_BIDDING = re.compile(
    r"\b(?:bids?|bidding|opened|opens|opening|overcall\w*|doubled|doubles|raised|[1-7] ?NT)\b"
)
_KNITTED = re.compile(
    r"\b(?:sts?|[kp]\dtog|rep from|garter|stockinette|ribbing|yo|ssk|knit\w*)\b|\bk\d+, ?p\d|\bp\d+, ?k\d"
)
_CLUED = re.compile(r"(?i)\b(?:crosswords?|clues?|grid|solvers?|stuck|\d{1,2}(?:dn|ac))\b")
_STITCHES = names("k=knit; p=purl;")
_CHORDS = names("maj=major; M=major; min=minor; m=minor; dim=diminished; aug=augmented; sus=sus; add=add;")
_UNITS = names("Bn=battalion; Bde=brigade; Regt=regiment; Sqn=squadron; Coy=company; Div=division;")


def _around(match: Match) -> str:
    return f"{before(match, _NEAR)}{match[0]}{after(match, _NEAR)}"


def card(match: Match) -> str:
    """Returns a playing card in words: A♤ -> ace of spades. Where bids are told, 2♡ -> two hearts."""
    rank, suit = (match[1], match[2]) if match[1] else (match[4], match[3])
    bid = rank in "1234567" and _BIDDING.search(_around(match))
    said = (
        f"{rank} {numbers.plural(_SUITS[suit], rank)}"
        if bid
        else f"{_RANKS.get(rank, rank)} of {_SUITS[suit]}s"
    )
    return said + (" " if after(match, 1).isalnum() else "")


def stitches(match: Match) -> str:
    """Returns stitches in words: k2 -> knit 2, p2tog -> purl 2 together."""
    if not (match[3] or _KNITTED.search(_around(match))):
        return match[0]
    return f"{_STITCHES[match[1].lower()]} {match[2]}{' together' if match[3] else ''}"


def chord(match: Match) -> str:
    """Returns the name of a chord in words: F#m7 -> F sharp minor 7, Cmaj7 -> C major 7."""
    sign = {"": "", "#": " sharp", "♯": " sharp"}.get(match[2], " flat")
    return f"{match[1]}{sign} {_CHORDS[match[3]]}{' ' + match[4] if match[4] else ''}"


def clue(match: Match) -> str:
    """Returns the number of a clue in words: 14dn -> 14 down, where the text is about a crossword."""
    return (
        f"{match[1]} {'down' if match[2] == 'dn' else 'across'}"
        if _CLUED.search(_around(match))
        else match[0]
    )


def reported_wind(match: Match) -> str:
    """Returns a wind as pilots report it in words: wind 240/12 kt -> wind two four zero at 12 knots."""
    gusts = f" gusting {match[4]}" if match[4] else ""
    return f"{match[1]}{numbers.digits(match[2])} at {match[3]}{gusts} knots"


PASTIMES: list[Row] = [
    ("cards", r"(?<!\w)(10|[1-9AKQJ])([♤♡♢♧])|([♤♡♢♧])(10|[2-9AKQJ])(?!\w)", card),
    ("cards", r"\b([1-7]) ?NT\b", r"\1 no trump"),
    ("stitches", r"\b([KkPp])(\d{1,2})(tog)?\b(?![-.]\w)", stitches),
    ("chord", r"(?<![\w.])([A-G])([#♯b♭]?)(maj|min|dim|aug|sus|add|m(?=\d))(\d{1,2})?(?![\w-])", chord),
    ("clue", r"(?<![\w.])(\d{1,2})(dn|ac)\b(?![./])", clue),
    (
        "text message",
        r"(?:(?<=\bgr8 )|(?<=\bgood )|(?<=\bnice )|(?<=\bwant )|(?<=\bgoing ))2(?= [a-z]{2,})",
        "to",
    ),
    (
        "race",
        r"\b(\d)m ?(\d)f\b",
        lambda m: f"{m[1]} miles {m[2]} furlongs" if m[1] != "1" else f"1 mile {m[2]} furlongs",
    ),
    ("wind", r"\b([Ww]ind (?:is |at )?)([0-3]\d0)/(\d{1,2})(?:G(\d\d))? ?(?:kts?|knots)\b\.?", reported_wind),
    ("forecast", r"\bocc\. (?=gale|rain|shower|severe|poor|moderate|storm|drizzle|fog|\d)", "occasionally "),
    ("regiment", r"(?<=\d(?:st|nd|rd|th) )(Bn|Bde|Regt|Sqn|Coy|Div)\b\.?", lambda m: _UNITS[m[1]]),
    ("stars", r"\bDec\.?(?= ?[+−–-]?\d{1,2}° ?\d)", "declination"),
    ("type", r"(?<![\d/.])(\d{1,2})/(\d{1,2}) ?pt\b", r"\1 on \2 point"),
    ("thread", r"\b(M\d{1,2}) ?[x×] ?(?=\d)", r"\1 by "),
    ("glasses", r"(?<![\w'])R:? (?=[-+−]\d{1,2}\.(?:00|25|50|75)\b)", "right "),
    ("glasses", r"(?<![\w'])L:? (?=[-+−]\d{1,2}\.(?:00|25|50|75)\b)", "left "),
]
