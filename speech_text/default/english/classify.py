"""Functions and patterns that tell the class of an English number by the text next to it. The table of number
classes names them."""

from __future__ import annotations

import re
from operator import le, lt

from speech_text.default.data import either
from speech_text.default.english.lists import LISTS, any_of
from speech_text.default.number_tagger import Figure, Test, by_name, pair, runs

ELECTRIC = re.compile(rf"(?i)\b(?:{any_of('electric')}|\d{{2,3}} ?V(?:AC|DC)?)\b")
_COUNTS = rf"(?i:\b{any_of('counting')} )"  # before a billion: worth 3B
_SPORT = re.compile(rf"(?i)\b{any_of('sport')}\b")
_MANY = re.compile(rf"{_COUNTS}_|_ {either(LISTS['counted'])}\b")
_RATED = re.compile(
    r"(?i)rat(?:ed?|ing)|scor|star|review|g(?:i|a)v(?:e|ing)|\bgets\b|film|movie|verdict|mark|grade|got|pain|quality"
    r"|solid|exam|quiz|test|(?:ambian?ce|decor|food|location|parking|price|service|taste|value|vibes?): $"
)
_CRICKET = re.compile(
    r"(?i:wicket|\bovers?\b|innings|stumps|declared|\btea\b|lunch|chas(?:ed|ing)|cricket|\bov\b|\ball out"
    r"|a\.o\.|by \d+ runs)|\boff \d{1,3} balls|\b(?:bowled|batsm[ae]n|batters?|crease|lbw|the Ashes)\b"
    r"|not out|\d\d\* |\b\d{3}-\d,? with |\bovernight, [A-Z]"
)
_STUMPS = re.compile(
    r"(?i:wicket|\b(?:overs|stumps|declared|cricket|(?:first|second) innings|lbw|all out|not out|seamers?"
    r"|spinners?)\b)"
)
BOOKS = LISTS["bible"]
# Short forms of books that are first names too, and a text about a holy book.
_FORENAME = re.compile(r"(?:Phil|Tim|Dan|Sam|Sir) \d+:\d[05]")
_SCRIPTURE = re.compile(rf"(?i)\b{any_of('scripture')}\b")
PATTERNS = {
    "things": r"(?:(?!(?:was|has|does|is|versus)\b)[a-z]{2,20}s|people|(?:wo)?men|children)",
    "masked": r"(?:[-#x]|#?\*+|\.{2,3}|…)",
    "till": "(?:at|by|until|till?|from|before|after|since|around|about)",
    "half": r"\s?[AaPp]\.?\s?[Mm]\b\.?",
    "weather": rf"(?i:\b(?:{any_of('weather')}|highs?(?! schools?\b))\b)",
    "counting": _COUNTS,
    "street": rf"(?:[A-Z][a-z]{{1,15}} ){{1,3}}(?:(?i:{any_of('street_word')})|St|Ave|Rd|Blvd|Ln)",
    "heat": rf"(?i:\b{any_of('heat')}\b|°)",
    "book": either({*BOOKS, *map(str.title, BOOKS.values()), *LISTS["holy_book"]}),
    "appointment": r"(?:(?:pick|drop|kick|check)[- ]?(?:up|off|in|out)|KO|meet|collection|curtain(?: up)?"
    r"|assembly|doors(?: open)?|registration|last \w+|gates|table for \w+|departs|departing|arriving)",
    "event": rf"(?i:\b(?:{any_of('event')}|(?:check|drop|kick|knock(?:ing)?|pick(?:ed)?)"
    r"[- ](?:\w+ )?(?:off|up|in|out))\b)",
    "scored": rf"(?i:\b{any_of('scored')}\b)",
    # Of prices, marks and rates: a number with a dot near one of these is no time (meet at 7.30).
    "priced": "(?i:\\b(?:chapter|cents?|density|era|interest|odds|peak\\w*|ph|section|version)\\b"
    "|share|stock|bond|sterling|magnitude|gpa|price|traded|trading|yield|rate|index|dollar|euro|pence"
    "|per ?cent|score|ratio|average|\\bcosts?\\b|\\bpaid\\b|%|(?<![,.] )[$£€])",
    # Beside an s that means seconds, and beside one of a decade: 60s rest, 80s kids.
    "awhile": r"(?i:\b(?:after|for|every|knocked|shaved|within|about|takes?|took|only|than|wait|lasts?|lasted"
    r"|under|to|just) _)|_ (?:rest|break|timer|interval|plank|hold|timeout|clip|ad|delay|left|later|flat)\b",
    "of_an_era": r" (?:kids?|music|hits?|movies?|fashion|style|rock|pop)\b",
    "running": r"(?i:\b(?:pace|per k|per mile|split|lap|ran|run)|/km|/mi)",
}


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
    is_apart = re.search(r"\s[MB]$", figure.text) and "." not in figure.text
    return not is_apart or bool(_MANY.search(f"{figure.lead}_{figure.rest}"))


def rated(figure: Figure) -> bool:
    """Returns whether the number `figure`, such as 9/10 or 4.5/5, is a mark out of a total, and no fraction.
    The first number must not be larger than the second, and no sign of a sum may stand next to them. A word
    such as rated must be near, or the total must be 10 or 100, or the mark must have a decimal point."""
    first, second = figure.text.split("/")
    in_sum = re.search(r"[=+×*÷<>]\s?$", figure.lead) or re.match(r"\s?[=+×*÷<>]", figure.rest)
    told = _RATED.search(figure.lead) or _RATED.search(figure.rest[:20])
    return bool(
        not in_sum and float(first) <= int(second) and (told or second in ("10", "100") or "." in first)
    )


def batted(figure: Figure, words: re.Pattern[str] = _STUMPS) -> bool:
    """Returns whether the number `figure`, such as 45-2, belongs to a cricket match: a word that belongs to
    no other game stands near it, or the number before belongs to one."""
    return figure.last_kind == "wickets" or figure.mentions(words)


TESTS: dict[str, Test] = by_name(of_a_team, scales, rated, batted) | {
    # 287-6 or 103*: the words near it may be weaker than for 45-2, which may be a score of another game.
    "at_stumps": lambda figure: batted(figure, _CRICKET) or batted(figure),
    "no_more": pair(le),  # 28/40 passes
    "rising": pair(lt),
    "consecutive": pair(lambda first, second: second == (first + 1) % 100),  # 2003-04
    "of_a_hundred": pair(lambda first, second: first + second == 100),  # an 80/20 rule
    # The kind of the number before tells: rooms 304 and 305, Room 3B, not 3A.
    "like_the_last": lambda figure: figure.last_kind == "room",
    "scored_too": lambda figure: figure.last_kind in ("goals and points", "minute of a goal"),
    "timed_too": lambda figure: figure.last_kind == "time",
    "of_no_decade": lambda figure: figure.last_kind != "decade",
    # But where electricity is spoken of, the letter is a unit.
    "lettered_too": lambda figure: figure.last_kind == "row" and not figure.mentions(ELECTRIC),
    # Zip 90210, not 90201; or an account behind the sort code of its bank: 20-45-12, 60318824.
    "identified_too": lambda figure: (
        figure.last_kind == "identifier" or (figure.last_kind == "name" and len(figure.text) == 8)
    ),
    # Behind a first name such as Phil, full minutes of five are a time, unless the text is about a holy book.
    "of_scripture": lambda figure: figure.mentions(_SCRIPTURE) or not _FORENAME.fullmatch(figure.text),
}
