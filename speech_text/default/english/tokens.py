"""The rules for English words and signs: tokens_en.tsv before the numbers are read, signs_en.tsv afterwards.

A row has the kind of a token, what is said for it (=words with the groups of the pattern, or the name of a
function), the pattern of the token, and what stands to its left and right. A cell that begins with ! tells
what does not stand there. The left cell lists texts of a fixed length with | between them; (?i) before them
says that capitals do not matter, and a word with a blank begins at a word. {name} stands for a list of
lists_en.tsv or a pattern of PATTERNS. The rows are applied in order.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from speech_text.default.characters import CARD
from speech_text.default.data import READINGS, either, rows
from speech_text.default.english import amounts, capitals, dates, names, prices, signs, trades, words
from speech_text.default.english.short_forms import STATES, TITLES, WEEKDAYS, WORDS_TOO
from speech_text.default.english.shortened import ANY, as_written
from speech_text.default.english.stops import A_NAME, SENTENCE_MAY_END
from speech_text.default.english.units import ALONE, PER, UNITS
from speech_text.default.number_tagger import by_name
from speech_text.default.spelling import EMAIL, URL
from speech_text.default.table import Row

_NAME = re.compile(r"\{([a-z_]+)\}")
_WORD = re.compile(r"(?:\[[A-Z][a-z]\])?[A-Za-z][\w. ]* ").fullmatch
_COLLEGES = "Ball|Boise|Fresno|Jackson|Kent|Murray|NC|Penn|San Diego|San Jose|Weber|Wichita|Youngstown"
_MOVE = r"(?:(?:[a-h]x|[KQRBN][a-h1-8]?x?)?[a-h][1-8](?!\w)|O-O)"
_LISTS = defaultdict[str, list[str]](list)
for _row in rows(READINGS / "lists_en.tsv"):
    _LISTS[_row["list"]] += _row["words"].split()
PATTERNS = (
    {name: either(listed) for name, listed in _LISTS.items()}
    | dates.PATTERNS
    | {
        "food": rf"(?:[a-z]{{3,12}} )?{either(_LISTS['food'])}\b",
        "email": EMAIL.pattern,
        "url": f"(?i:{URL.pattern})",
        "card": CARD,
        "college": either((*_COLLEGES.split("|"), *map(str.title, STATES.values()))),
        "rent": either(prices.RENTS),
        "pence": r"(?=\d)(\d{1,2}(?!\d|/))?(?: ?(1/[24]|3/4) ?)?d\b\.?",
        "section": r"\d{1,3}[A-Z]{0,2}",
        "unit": either(UNITS),
        "wind": either(names.DIRECTIONS),
        "life": r"(?:ca?\. ?)?\d{3,4}\b|\d\d[-–]\d|\d\d? [A-Z]|[A-Z][a-z]{2}\.? \d|\(\d",
        "angle": r"\d{1,2}(?:\.\d{1,6})?",
        "short_state": either(names.STATES),
        "element": "|".join(names.ISOTOPES),
        "symbol_or_power": r"(?!(?<=\d )m[²³]/)([α-ωΔ][²³]?|[a-z][²³]|\d{1,3})",
        "end": SENTENCE_MAY_END,
        "name": A_NAME.pattern,
        "short": rf"(?<![\w'/.{names.SPELLED}])(?<![\W\d]-)({ANY})(?![\w/-]|'(?!s))\.?",
        "title": either(set(TITLES) - {"St", "Dr"}),
        "undotted": words.UNDOTTED,
        "weekday": either(WEEKDAYS),
        "alone": "|".join(ALONE),
        "state": either(STATES),
        "sure_state": either(set(STATES) - WORDS_TOO),
        "move": _MOVE,
        "power_unit": either(signs.OF_POWERS),
        "power_of_unit": either(unit for unit in UNITS if unit[-1] in "²³"),
        "symbols": "".join(signs.SYMBOLS),
        "greek": "".join(signs.GREEK),
        "numeral": f"(?:{signs.NUMERALS})",
        "long_unit": either(unit for unit in UNITS if len(unit) > 1),
        "small_per": either(unit for unit in PER if unit not in "ACFKNTVW"),
        "staff": capitals.STAFF,
    }
)
_SAID = {
    **names.SAID,
    **trades.SAID,
    **prices.SAID,
    **words.SAID,
    **signs.SAID,
    **amounts.SAID,
    **dates.SAID,
    **by_name(capitals.spelled, as_written),
}


def token_rules(table: str) -> Iterator[Row]:
    """Yields the rows of `table`, a file of tokens, as rules."""
    for row in rows(READINGS / table):
        cells = {name: _NAME.sub(lambda m: PATTERNS[m[1]], cell) for name, cell in row.items()}
        said = cells["said"]
        text = f"(?i:{text[4:]})" if (text := cells["text"]).startswith("(?i)") else f"(?:{text})"
        pattern = _left(cells["left"]) + text + _right(cells["right"])
        yield row["kind"], pattern, said[1:] if said[0] == "=" else _SAID[said]


def _left(cell: str) -> str:
    if not cell:
        return ""
    if cell[0] == "!":
        return f"(?<!{cell[1:]})"
    texts = cell.removeprefix("(?i)")
    places = "|".join(rf"(?<={_boundary(text)}{text})" for text in texts.split("|"))
    return f"({'?i' * (texts != cell) or '?'}:{places})"


def _right(cell: str) -> str:
    if not cell:
        return ""
    return f"(?!{cell[1:]})" if cell[0] == "!" else f"(?={cell})"


def _boundary(text: str) -> str:
    return r"\b" if _WORD(text) else ""
