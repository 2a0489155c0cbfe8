"""Finds the best place to cut a long sentence that has no punctuation. Works on strings only."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from speech_text.english import ONES, TENS
from speech_text.signs import PUNCTUATION

_HANZI_RUN = re.compile("[\u4e00-\u9fff]+")
_NUMBER = frozenset("零〇一二三四五六七八九十百千万亿两点负幺")
_NUMBER_WORDS = re.compile(
    f"{'|'.join((*ONES, *TENS[2:]))}|hundred|thousand|million|billion|trillion|and|point|minus|percent|oh"
    "|first|second|third|(?:four|fif|six|seven|eigh|nin|ten|eleven|twelf|(?:thir|four|fif|six|seven|eigh|nine)teen"
    "|(?:twen|thir|for|fif|six|seven|eigh|nine)tie|hundred|thousand)th"
)
_LETTER = re.compile("[b-hj-z]")  # next to a number: of a version, a model or a road
# Words of addresses and versions, as they are spoken.
_SPELT = frozenset(("dot", "slash", "colon", "dash", "underscore", "at"))
_ADDRESS = re.compile(
    "[a-z]{1,30}(?:(?:点|杠|斜杠|冒号|下划线|艾特|问号|等于|井号)[a-z零一二三四五六七八九]{0,30})+"
)
_ALPHABETS = "\u2e80"  # code points: below are letters, from here on are signs of syllables or words
_BEFORE = re.compile(
    "但|而且|所以|因为|如果|虽然|然后|并且|或者|以及|不过|于是|因此|同时|另外|只要|只有|即使|无论"
    "|(?:and|but|or|so|because|if|when|while|which|that|who|where|then|although|before|after) "
)

Words = Callable[[str], Sequence[str]]


def best_end(units: Sequence[str], end: int, words: Words, *, furthest: int) -> int:
    """Returns where to cut `units` (Hanzi, words and marks), as the number of units before the cut, at most
    `end`. If there are no more than `end` units, returns `end`.

    The cut is the last place before a word that begins a clause, otherwise the last place between two words.
    `words` splits a run of Hanzi into words. Places inside a number, an address or a word, and places before
    a mark, are passed over. If no place is left among the last `furthest` before `end`, the cut is at `end`.
    """
    if end >= len(units):
        return end
    begin = max(1, end - furthest)
    text, starts = "".join(units[: end + furthest]), [0]
    for unit in units[: end + furthest]:
        starts.append(starts[-1] + len(unit))
    inner = _inside_words(text, words)
    places = [
        at
        for at in range(end, begin - 1, -1)
        if starts[at] not in inner and not _in_word(units, at) and not _in_number(units, at)
        if not comma_in_number(units, at - 1) and units[at].strip() not in PUNCTUATION
    ]
    clauses = [at for at in places if _BEFORE.match(text, starts[at])]
    return (clauses or places or [end])[0]


def _inside_words(text: str, words: Words) -> set[int]:
    inner: set[int] = set()
    for run in _HANZI_RUN.finditer(text):
        at = run.start()
        for word in words(run[0]):
            inner.update(range(at + 1, at + len(word)))
            at += len(word)
    for address in _ADDRESS.finditer(text):
        inner.update(range(address.start() + 1, address.end()))
    return inner


def _in_word(units: Sequence[str], at: int) -> bool:
    """Returns whether `units[at - 1]` and `units[at]` are parts of one word that is too long for one unit."""
    before, after = units[at - 1][-1], units[at][0]
    return before.isalpha() and after.isalpha() and max(before, after) < _ALPHABETS


def comma_in_number(units: Sequence[str], at: int) -> bool:
    """Returns whether `units[at]` is a comma inside a number, such as a short pause in a telephone number or
    a date."""
    inner = units[at].strip() in (",", "，") and 0 < at < len(units) - 1
    return inner and _in_number((units[at - 1], units[at + 1]), 1)


def _in_number(units: Sequence[str], at: int) -> bool:
    before, after = units[at - 1].strip(), units[at].strip()
    numbers = [_NUMBER_WORDS.fullmatch(unit) or unit in _NUMBER for unit in (before, after)]
    if all(numbers) or (any(numbers) and (_LETTER.fullmatch(before) or _LETTER.fullmatch(after))):
        return True
    return before in _SPELT or after in _SPELT
