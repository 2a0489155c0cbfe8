"""The lists, patterns and functions of the tables of English tokens."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from speech_text.default.data import either
from speech_text.default.english import dates, names, numbers, romans, signs, words
from speech_text.default.english.lists import LISTS
from speech_text.default.english.measures import PER, UNITS
from speech_text.default.english.shortened import ANY, short_form
from speech_text.default.english.stops import A_NAME, A_TIME, NOTHING, SENTENCE_MAY_END, initials, stop
from speech_text.default.number_tagger import by_name
from speech_text.default.spelling import EMAIL, URL
from speech_text.default.tokens import Vocabulary

_COLLEGES = "Ball|Boise|Fresno|Jackson|Kent|Murray|NC|Penn|San Diego|San Jose|Weber|Wichita|Youngstown"
_MOVE = r"(?:(?:[a-h]x|[KQRBN][a-h1-8]?x?)?[a-h][1-8](?!\w)|O-O)"
_RANKS = {"A": "ace", "K": "king", "Q": "queen", "J": "jack"}
_LISTS = LISTS | {
    "short_state": {form.upper(): said for form, said in LISTS["short_state"].items()} | LISTS["short_state"],
    "unit": UNITS,
    "greek": signs.GREEK,
}
PATTERNS = (
    {name: either(listed) for name, listed in _LISTS.items()}
    | dates.PATTERNS
    | romans.PATTERNS
    | words.PATTERNS
    | {
        "food": rf"(?:[a-z]{{3,12}} )?{either(_LISTS['food'])}\b",
        "email": EMAIL.pattern,
        "url": f"(?i:{URL.pattern})",
        "college": either((*_COLLEGES.split("|"), *map(str.title, _LISTS["state"].values()))),
        "pence": r"((?=\d)(?:\d{1,2}(?!\d|/))?(?: ?(?:1/[24]|3/4) ?)?)d\b\.?",
        "section": r"\d{1,3}[A-Z]{0,2}",
        "life_date": r"(?:ca?\. ?)?\d{3,4}\b|\d\d[-–]\d|\d\d? [A-Z]|[A-Z][a-z]{2}\.? \d|\(\d",
        "angle": r"\d{1,2}(?:\.\d{1,6})?",
        "element": "|".join(LISTS["isotope"]),
        "symbol_or_power": r"(?!(?<=\d )m[²³]/)([α-ωΔ][²³]?|[a-z][²³]|\d{1,3})",
        "end": SENTENCE_MAY_END,
        "name": A_NAME.pattern,
        "short": rf"(?<![\w'/.{names.SPELLED}])(?<![\W\d]-)({ANY})(?![\w/-]|'(?!s))\.?",
        "title": either(set(LISTS["title"]) - {"St", "Dr"}),
        "undotted": "Dr|Mr|Mrs|Ms|Prof|Revd|Capt|Sgt|Lt|Cpl|Cmdr|Maj|Insp|Supt|Cdr|Messrs"
        "|(?:Rev|Fr|Mt|st|mt|dr)(?= [A-Z][a-z])",
        "windy": r"(?i:\b(?:winds?|gales?|gusts?|knots|kts?|storm|squally|breeze|beaufort)\b)",
        "blown": r"_ (?:winds?|gales?|breezes?|airs)\b|\b(?:will|later|then) (?:back|veer) _"
        r"|\b[Ww]inds?(?: (?:are|is|was|were))?:? (?:from )?(?:the )?_",
        "alone": "gal|qt|lb|oz|mi|mo|kg|km|ml|min",
        "sure_state": either(set(LISTS["state"]) - set(LISTS["state_word"])),
        "move": _MOVE,
        "power_unit": either(signs.OF_POWERS),
        "power_of_unit": either(unit for unit in UNITS if unit[-1] in "²³"),
        "numeral": f"(?:{signs.NUMERALS})",
        "long_unit": either(unit for unit in UNITS if len(unit) > 1),
        "small_per": either(unit for unit in PER if unit not in "ACFKNTVW"),
    }
)
_SAID = dates.NAMED | by_name(
    *(names.letters_and_digits, names.move, names.isotope, names.coordinates, romans.numbered_name),
    *(words.saint_or_street, words.dash, words.cups, words.spelled, initials, short_form),
    *(signs.exponent, signs.per, signs.without_commas, signs.lakhs, signs.standing_alone),
)


def _listed(listed: Mapping[str, str], form: str) -> str:
    return listed.get(form) or listed.get(form.capitalize(), "")


_WORDS: dict[str, Callable[[str], str]] = {
    name: partial(_listed, listed) for name, listed in _LISTS.items()
} | {
    **by_name(numbers.cardinal, numbers.digits, numbers.ordinal, numbers.paired, numbers.year),
    **by_name(names.address, names.humps, names.spelled, dates.month),
    **by_name(romans.roman_cardinal, romans.roman_ordinal, romans.romans),
    "title": lambda form: LISTS["title"][
        form.capitalize()
    ].title(),  # by a capital, 5 p.m. Dr. Lee has a stop
    "ranks": lambda cards: " ".join(_RANKS.get(card, card) for card in re.findall("10|.", cards)),
    **{coin: partial(numbers.counted, coin) for coin in ("pound", "shilling", "penny")},
    "several": lambda number: numbers.plural(numbers.cardinal(number), "2"),
    "units": lambda unit: numbers.plural(UNITS[unit], "2"),
    "underscored": lambda name: name.replace("_", " underscore "),
    "undotted": lambda letters: letters.replace(".", ""),
    "apart": lambda letters: " ".join(letters.replace(".", " ").split()),
}
_ENDS = {"stop": partial(stop), "end": partial(stop, goes_on=NOTHING), "time": partial(stop, goes_on=A_TIME)}
ENGLISH = Vocabulary(PATTERNS, _SAID, _WORDS, _ENDS)
