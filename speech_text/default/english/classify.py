"""Functions that test an English number by the text next to it, so that its class is found. The table of
number classes names them."""

from __future__ import annotations

import re

from speech_text.default.number_tagger import Figure, by_name, runs

ELECTRIC = re.compile(
    r"(?i)\b(?:amps?|batter(?:y|ies)|breakers?|circuits?|current|fuses?|plugs?|rated|sockets?"
    r"|\d{2,3} ?V(?:AC|DC)?)\b"
)


def lettered_too(figure: Figure) -> bool:
    """Returns whether the letter of the number `figure` is part of a name because that of the number before
    it is: Room 3B, not 3A. Where electricity is spoken of, it is a unit."""
    return figure.last_kind == "row" and not ELECTRIC.search(figure.lead + figure.rest)


def identified_too(figure: Figure) -> bool:
    """Returns whether the number `figure` is a code because it follows another code: Zip 90210, not 90201;
    or an account behind the sort code of its bank: 20-45-12, 60318824."""
    return figure.last_kind == "identifier" or (figure.last_kind == "name" and len(figure.text) == 8)


# Words before a billion (worth 3B), and words of sport and of heat.
_COUNTS = re.compile(
    r"(?i)\b(?:worth|about|over|nearly|almost|hit|hits|reach\w*|than|to|at|raised|of|under|roughly|around|some|total"
    r"|with|by|only|just|has|have) $"
)
_SPORT = re.compile(
    r"(?i)\b(?:teams?|seasons?|overall|on the road|leagues?|division|conference|playoffs?|games?|coach|won"
    r"|lost|record|standings|ATS)\b"
)
_COUNTED = (
    r"(?:acres|barrels|cars|children|copies|customers|deaths|dollars|doses|downloads|employees|euros|fans|followers"
    r"|hectares|homes|households|jobs|likes|listeners|miles|parameters|passengers|people|players|plays|pounds"
    r"|readers|refugees|residents|shares|stars|steps|streams|students|subscribers|tests|tickets|tokens|tons|tonnes"
    r"|tourists|units|users|viewers|views|visitors|votes|words|workers|years)"
)
_MANY = re.compile(rf" {_COUNTED}\b")


def letter_behind(figure: Figure) -> bool:
    """Returns whether the letter of the number `figure` is part of a name: it is in seat 14B and in a 7B bus.
    After a word such as worth or about it means billions: worth 3B."""
    return not _COUNTS.search(figure.lead)


def of_a_team(figure: Figure) -> bool:
    """Returns whether the number `figure` is the record of a team, as in is 9-2 overall. Behind "and" it is
    one if the number before is a record: is 9-2 overall and 4-0 at home. A span of two neighbours (the kids
    are 3-4) is one only in a text about sport."""
    first, second, *_ = map(int, runs(figure.text))
    if second == first + 1 and not figure.mentions(_SPORT):
        return False
    return not figure.lead.endswith("and ") or figure.last_kind == "record"


def scales(figure: Figure) -> bool:
    """Returns whether the letter of the number `figure` is a scale. A capital letter that stands apart is the
    name of a thing (apartment 3 B), unless a point is in the number or a word of a count stands near it."""
    if not re.search(r"\s[MB]$", figure.text) or "." in figure.text:
        return True
    return bool(_COUNTS.search(figure.lead) or _MANY.match(figure.rest))


TESTS = by_name(lettered_too, identified_too, letter_behind, of_a_team, scales) | {
    "like_the_last": lambda figure: figure.last_kind == "room",  # rooms 304 and 305
    "scored_too": lambda figure: figure.last_kind in ("goals and points", "minute of a goal"),
    "of_a_hundred": lambda figure: sum(map(int, runs(figure.text))) == 100,  # an 80/20 rule
}
PATTERNS = {
    "counted": _COUNTED,
    "street": r"(?:[A-Z][a-z]{1,15} ){1,3}(?:(?i:street|drive|road|avenue|boulevard|lane|way|court|place"
    r"|plaza|square)|parkway|expressway|highway|St|Ave|Rd|Blvd|Ln)",
    "heat": r"(?i:\b(?:kelvins?|temperatures?|temp|heat\w*|cool\w*|superconduct\w*|helium|nitrogen|cryo\w*"
    r"|boils?|melts?|freez\w*|liquef\w*|absolute|critical|transition|stars?|plasma|annealed|reacts?"
    r"|samples?)\b|°)",
}
