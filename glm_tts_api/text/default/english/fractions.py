"""English: fractions, marks out of ten, odds, scores with a slash."""

from __future__ import annotations

import re

from glm_tts_api.text.default.english import numbers
from glm_tts_api.text.default.english.numbers import cardinal
from glm_tts_api.text.default.english.stops import A_TIME, with_stop
from glm_tts_api.text.default.english.units import ONLY_JOINED, UNITS, unit_name
from glm_tts_api.text.default.table import Match, Row, after, alternatives, before

_ONES = {"2": "half", "3": "third", "4": "quarter"}


def out_of(match: Match) -> str:
    """9/10, 4.5/5: a mark, of which no fraction is meant."""
    rated = re.search(
        r"(?i)rat(?:ed?|ing)|scor|star|review|g(?:i|a)v(?:e|ing)|mark|grade|got|pain|quality|solid|exam|quiz|test",
        before(match, 40) + after(match, 20),
    )
    first, second = match[1], match[2]
    in_sum = re.search(r"[=+×*÷<>]\s?$", before(match, 2)) or re.match(r"\s?[=+×*÷<>]", after(match, 2))
    if in_sum or float(first) > int(second) or not (rated or second in ("10", "100") or "." in first):
        return match.group()
    return f"{cardinal(first)} out of {cardinal(second)}"


def fraction_of_unit(match: Match) -> str:
    """3/4 tsp, 1 1/2 mi."""
    noun = unit_name(match[4]) or match[4]
    said = fraction(match)
    if match[1]:
        return f"{said} {numbers.plural(noun, '2')}"
    article = "an" if noun[0] in "aeiou" else "a"
    return f"{'half' if said == 'one half' else said + ' of'} {article} {noun}"


def fraction(match: Match) -> str:
    whole, first, second = match[1], match[2], match[3]
    if int(first) >= int(second) and int(second) > 9:
        return f"{cardinal(first)} over {cardinal(second)}"
    part = _ONES.get(second) or numbers.ordinal(second)
    lead = f"{cardinal(whole)} and " if whole else ""
    if second == "2" and first == "1" and whole:
        return lead + "a half"
    if part == "half" and first != "1":
        return f"{lead}{cardinal(first)} halves"
    return f"{lead}{cardinal(first)} {part if first == '1' else part + 's'}"


def pressure(match: Match) -> str:
    return f"{cardinal(match[1])} over {cardinal(match[2])}"


def wickets(match: Match) -> str:
    """250/5 of a cricket match."""
    told = r"(?i)wicket|\bovers?\b|innings|stumps|declared|\btea\b|lunch|chas(?:ed|ing)|cricket|\ball out"
    if re.search(told, before(match, 60) + after(match, 40)):
        return f"{cardinal(match[1])} for {cardinal(match[2])}"
    return match.group()


def fraction_of_inch(match: Match) -> str:
    """3/4" plywood, 1 1/2"."""
    noun = "inch" if re.match(r"\s[a-z]", after(match)) else "inches" if match[1] else "of an inch"
    return f"{fraction(match)} {noun} "


_B = r"(?<![\d.,])"
_UNIT = alternatives(UNITS)
FRACTIONS: list[Row] = [
    ("minus", r"(?<![\w)-])-(?=\d{1,3}/\d)", "minus "),
    ("blood pressure", rf"{_B}(\d{{2,3}})/(\d{{2,3}})(?= ?mm ?Hg)", pressure),
    (
        "blood pressure",
        r"(?i:(?<=pressure )|(?<=pressure is )|(?<=pressure of )|(?<=pressure was )"
        r"|(?<=bp )|(?<=bp: )|(?<=bp is ))(\d{2,3})/(\d{2,3})(?![\d/])",
        pressure,
    ),
    (
        "inches",
        r"(?<![\d/.,])(?:(\d{1,3})[\s-])?([1-9]\d?)/([1-9]\d?)(?:\s?[\"″](?!\d)|-in\b\.?)",
        with_stop(fraction_of_inch, A_TIME),
    ),
    (
        "half",
        r"(?<![\d/.,] )(?<![\d/.,])1/2(?= (?:the|an?|my|his|her|our|their|your|as|that|this)\b)",
        "half",
    ),
    ("pair", r"(?<![\d/.,])(20|11|50)/\1(?![\d/])", lambda m: f"{cardinal(m[1])} {cardinal(m[1])}"),
    (
        "odds",
        r"(\d(?<![\d/.,]\d)\d{0,2})/([1-9])(?![\d/])(?=(?: odds)? (?:to win"
        r"|favou?rite|shot|outsider|odds)\b)",
        lambda m: f"{cardinal(m[1])} to {cardinal(m[2])}",
    ),
    ("wickets", r"(?<![\d/.,-])([1-9]\d{1,2})/(\d)(?![\d/.]\d|\d|/)", wickets),
    (
        "mark",
        rf"(?<![\d/.,-])(\d{{1,3}}(?:\.\d{{1,2}})?)/(5|10|20|50|100)(?![\d/-]|\.\d| ?(?:of|inch|{_UNIT})\b)",
        out_of,
    ),
    (
        "fraction",
        rf"(?<![\d/.,])(?:(\d{{1,3}})(?:\s|\sand\s|-))?([1-9]\d{{0,2}})/([1-9]\d{{0,2}})\s?(?!in )"
        rf"({alternatives(unit for unit in UNITS if len(unit) > 1 and unit not in ONLY_JOINED)})\b\.?",
        with_stop(fraction_of_unit, A_TIME),
    ),
    (
        "fraction",
        r"(?<![\d/.,])(?:(\d{1,3})(?:\s|\sand\s|-))?([1-9]\d{0,2})/([1-9]\d{0,2})(?![\d/]|\.\d)",
        fraction,
    ),
]
