"""Words for English Roman numerals; tokens_en.tsv names the functions and patterns."""

from __future__ import annotations

import re

from speech_text.default.data import either
from speech_text.default.english import numbers
from speech_text.default.english.lists import LISTS, any_of
from speech_text.default.english.stops import STARTERS
from speech_text.default.table import Match, after, roman

_REIGNS = re.compile(
    r" (?:of (?!the\b)[A-Z]|(?:was|is) (?:crowned|king|queen|born|killed|elected)|reign|ruled|abdicat"
    r"|ascended|died\b|succeeded)|, (?:Esq|esquire|M\.?D|Ph\.?D|Jr)\b"
)
_SMALL = "(?:i{2,3}|iv|vi{0,3}|ix|xi{0,3}|xiv|xv|xvi{0,3})"
PATTERNS = {
    "monarch": either({*LISTS["monarch"], *map(str.upper, LISTS["monarch"])}),
    "roman": numbers.ROMAN,
    "small_roman": _SMALL,
    "one_roman": r"(?:I[IVX]?|III|VI{0,3}|XI{0,3}|XI?V|XVI{0,3}|XI?X)",
    "starter": f"(?:{STARTERS})",
    "tempo": "(?:Adagi|Allegr|Andant|Grave|Larg|Lent|Maesto|Menuet|Moderat|Poco|Prelud|Prest|Rondo|Vivac)",
    # I before one of these is the pronoun, not a numeral: John I will call you.
    "pronoun": rf"(?<= I) (?i:{any_of('pronoun')})\b",
    # Text behind the I of a type I error and a phase I trial. I is the pronoun in: the class I took.
    "numbered_behind": r"(?: (?:and\b|clinical|collagen|diabetes|drugs?\b|elements?\b|errors?\b|is\b|listed"
    r"|metals?\b|of\b|or\b|patients|railroads?\b|stud(?:y|ies)\b|substances?\b|trauma|trials?\b)"
    r"|[^\s\w']| -|$)",
}


def roman_cardinal(numeral: str) -> str:
    return numbers.cardinal(str(roman(numeral.upper())))


def roman_ordinal(numeral: str) -> str:
    return numbers.ordinal(str(roman(numeral)))


def numbered_name(match: Match) -> str:
    """Returns a name with its Roman numeral in words: Street Fighter II -> Street Fighter two. After the name
    of a person it is an ordinal: William Gates III -> William Gates the third. A numeral that is not valid,
    and IV before a word such as fluids, stay."""
    infused = re.match(r"\s(?:fluids?|drip|lines?|access|antibiotics|infusion)\b", after(match))
    if not re.fullmatch(numbers.ROMAN, match[3]) or infused:
        return match.group()
    first = (match[1] or "").strip()
    named = first and not re.fullmatch(STARTERS, first)  # but: When Conrad III came
    person = not named or _REIGNS.match(after(match, 24)) or first in LISTS["monarch"] | LISTS["forename"]
    said = f"the {roman_ordinal(match[3])}" if person else roman_cardinal(match[3])
    return f"{match[1] or ''}{match[2]} {said}"


def romans(text: str) -> str:
    """Returns a list or a span of Roman numerals in words: I, II & III -> one, two & three; iii-v -> three to
    five."""
    said = re.sub("[IVXivx]+", lambda m: roman_cardinal(m[0]), text).replace("–", "-")
    return said.replace("-", " to " if said.count("-") == 1 else " ")
