"""Decides where the dot of an English short form also ends its sentence (at 5 p.m.). Works on strings
only."""

from __future__ import annotations

import re

from speech_text.default.data import either
from speech_text.default.english.lists import LISTS, MONTH, any_of
from speech_text.default.number_tagger import Figure
from speech_text.default.table import Match, before

_BEHIND = r"""["”’')\]]*(?:\s+["“‘'(\[]*(?=[A-Z])|\s*$)"""
SENTENCE_MAY_END = f"(?={_BEHIND})"
_ENDS_HERE = re.compile(_BEHIND)
# Words that begin a sentence, but hardly a name: the U.S. Then ..., but the U.S. Senate.
STARTERS = rf"{any_of('starter')}|A(?= [a-z])|No(?!\.)"
A_NAME = re.compile(rf"(?!(?:{STARTERS})\b)")
# Text that goes on with a time: 5 p.m. Monday, 8 a.m. EST, 9 p.m. New York time.
A_TIME = re.compile(
    rf"(?:{MONTH}|{either(LISTS['weekday'])}|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?|Eastern|Pacific|Central"
    r"|Mountain|[A-Z]{1,4}T|UTC|PO)\b|[A-Z][a-z]+(?: [A-Z][a-z]+)? [Tt]ime\b"
)
ANYTHING = re.compile("")
NOTHING = re.compile("(?!)")
# Text before a time that opens a sentence: At 5 p.m. Tom left.
_OPENING = re.compile(
    r"(?:^|[.!?:;\"“”(] ?)(?:At|By|Around|About|Before|After|Until|Since|From|Between) (?:about |exactly )?$"
)

# Things that are named by a letter: Plan A.
_LETTERED = re.compile(
    rf"(?i)\b{any_of('lettered_thing')}s?\.? [A-Z]\. $|\b[A-Z],? (?:(?:and|or) )?[A-Z]\. $"
)
# The text before the initial of a name: by C. Nair, guard T. Okafor. At a line's start A. may mark an item.
_NAMED = re.compile(
    r"(?:[,:;(&]|\b(?:and|by|for|[A-Z]{2}|(?!called|chose|circle|earn|from|into|like|mark|need|pick|press|scored|take"
    r"|than|that)[a-z]{4,})) [A-HJ-Z]\. $"
    r"|(?:^|[.!?] )[GHJ-PR-UWYZ]\. $"
)


def stop(match: Match, goes_on: re.Pattern[str] = A_NAME) -> str:
    """Returns a full stop if `match` ends with a dot that also ends the sentence, otherwise "". The sentence
    ends at the end of the text. It also ends before a capital letter, unless `goes_on` matches there."""
    return _stop(match.string, match.end(), goes_on) if match.group().endswith(".") else ""


def ending(figure: Figure) -> str:
    """Returns a full stop if the number `figure` ends with a dot that also ends the sentence, such as 5 p.m.,
    otherwise ""."""
    if not figure.text.endswith("."):
        return ""
    return _stop(figure.line, figure.end, ANYTHING if _OPENING.search(figure.lead[-24:]) else A_TIME)


def _stop(line: str, end: int, goes_on: re.Pattern[str]) -> str:
    behind = _ENDS_HERE.match(line, end)
    if behind is None:
        return ""
    quoted = not behind.group()[:1].isspace()  # "At 4 p.m." "Oh."
    return "." if quoted or behind.end() == len(line) or not goes_on.match(line, behind.end()) else ""


def initials(match: Match) -> str:
    """Returns the initials of a name without their dots: J. H. Marsh, John F. Kennedy. A single letter stays
    if it may be the name of a thing (Plan A. Tom ...) or of an item."""
    named, letters = match[1] or "", match[2]
    lead = (named or before(match)) + letters
    is_of_a_name = not _LETTERED.search(lead) and (named or _NAMED.search(lead))
    return named + letters.replace(".", "") if letters.count(".") > 1 or is_of_a_name else match.group()
