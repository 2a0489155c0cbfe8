"""Where a sentence without marks is best cut. Knows strings only."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_FURTHEST = 30  # units before the last place at which it may be cut
_HANZI_RUN = re.compile("[\u4e00-\u9fff]+")
_NUMBER = frozenset("零〇一二三四五六七八九十百千万亿两点负幺")
_NUMBER_WORDS = re.compile(
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen"
    "|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand"
    "|million|billion|trillion|and|point|minus|percent"
)
_SPELT = frozenset("点杠斜冒艾")  # how signs of addresses and versions begin when they are said
_BEFORE = re.compile(
    "但|而且|所以|因为|如果|虽然|然后|并且|或者|以及|不过|于是|因此|同时|另外|只要|只有|即使|无论"
    "|(?:and|but|or|so|because|if|when|while|which|that|who|where|then|although|before|after) "
)

Words = Callable[[str], Sequence[str]]


def best_end(units: Sequence[str], end: int, words: Words) -> int:
    """How many units to say before the pause, at most `end`: up to a word that begins a clause, else between
    two words as `words` tells them apart, never inside a number."""
    if end >= len(units):
        return end
    begin = max(1, end - _FURTHEST)
    text, starts = "".join(units[: end + _FURTHEST]), [0]
    for unit in units[: end + _FURTHEST]:
        starts.append(starts[-1] + len(unit))
    inner = _inside_words(text, words)
    places = [at for at in range(end, begin - 1, -1) if starts[at] not in inner and not _in_number(units, at)]
    clauses = [at for at in places if _BEFORE.match(text, starts[at])]
    return (clauses or places or [end])[0]


def _inside_words(text: str, words: Words) -> set[int]:
    inner: set[int] = set()
    for run in _HANZI_RUN.finditer(text):
        at = run.start()
        for word in words(run[0]):
            inner.update(range(at + 1, at + len(word)))
            at += len(word)
    return inner


def _in_number(units: Sequence[str], at: int) -> bool:
    before, after = units[at - 1].strip(), units[at].strip()
    if _NUMBER_WORDS.fullmatch(before) and _NUMBER_WORDS.fullmatch(after):
        return True
    if before in _NUMBER and after in _NUMBER:
        return True
    return (before in _SPELT or after in _SPELT) and (before.isascii() or after.isascii())
