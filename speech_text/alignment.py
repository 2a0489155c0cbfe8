"""Aligns the words of a text with those of its spoken form. Works on strings only.

Both are cut into words, single Hanzi and single digits. Every search ahead is bounded, so an alignment takes
linear time even where the two have few words in common.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_HANZI = "\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[^\W\d_{_HANZI}]+(?:'[^\W\d_{_HANZI}]+)*|[^\W_]")
_NO_UNITS = frozenset(
    {"and", "are", "at", "but", "for", "from", "is", "on", "or", "the", "then", "to", "was", "were", "with"}
)
_FURTHEST = 150  # a change has fewer written words, and fewer than 300 words in both forms


@dataclass(frozen=True, slots=True)
class Word:
    """A word, a Hanzi or a digit: characters `start` to `end` of its text. `folded` is what is compared."""

    folded: str
    start: int
    end: int


def words(text: str) -> list[Word]:
    """Returns the words, Hanzi and digits of a text in their order."""
    return [
        Word(unicodedata.normalize("NFKC", word.group()).lower(), *word.span())
        for word in _WORD.finditer(text)
    ]


def aligned(before: Sequence[Word], after: Sequence[Word]) -> Iterator[tuple[int, int]]:
    """Yields the pairs of places (in `before`, in `after`) with the same word, in order. Two successive words
    are found anywhere, and between such pairs also a Latin word that stands once in each text: the call of
    "17.45, call 07700". A word behind a figure may be a part of it ($5 million), unless it is one of
    _NO_UNITS, and Hanzi may change their order (50元/天, 每天五十元). These are found only beside others.
    """
    left = right = 0
    for at, spoken_at in [*_same(before, after), (len(before), len(after))]:
        for n, m in _lone_words(before[left:at], after[right:spoken_at]):
            yield left + n, right + m
        if at < len(before):
            yield at, spoken_at
        left, right = at + 1, spoken_at + 1


def _lone_words(before: Sequence[Word], after: Sequence[Word]) -> Iterator[tuple[int, int]]:
    ours, theirs = ([word.folded for word in each] for each in (before, after))
    lowest = 0
    for n in range(1, len(ours) if len(ours) < _FURTHEST else 0):
        last, word = before[n - 1], ours[n]
        apart = word in _NO_UNITS or not last.folded.isdigit() or before[n].start - last.end > 1
        latin = len(word) > 1 and word.isascii()
        if latin and apart and ours.count(word) == theirs.count(word) == 1:
            place = theirs.index(word)
            if place >= lowest:
                lowest = place + 1
                yield n, place


def _same(before: Sequence[Word], after: Sequence[Word]) -> Iterator[tuple[int, int]]:
    """Aligns two lists of words. Yields the pairs of places (in `before`, in `after`) with the same word, in
    order. After a difference the next pair is the one that `_next_pair` finds; without one the pairs end."""
    pairs: dict[tuple[str, str], list[int]] = defaultdict(list)
    ahead = [*(word.folded for word in after), ""]
    for at in range(len(after)):
        pairs[ahead[at], ahead[at + 1]].append(at)
    ours = [*(word.folded for word in before), ""]
    left = right = 0
    while left < len(before) and right < len(after):
        if ours[left] != ahead[right]:
            found = _next_pair(ours, left, right, pairs)
            if found is None:
                return
            left, right = found
        yield left, right
        left, right = left + 1, right + 1


def _next_pair(
    ours: Sequence[str], left: int, right: int, pairs: dict[tuple[str, str], list[int]]
) -> tuple[int, int] | None:
    """Returns the first places, `left` and `right` or later, at which both lists have the same two successive
    words. They skip the fewest words, at most 149 in `ours` and 299 in both lists; None if there are none.
    `ours` is the written list. `pairs` maps two successive spoken words to their places in the spoken
    list."""
    nearest: tuple[int, int] | None = None
    distance = 2 * _FURTHEST
    for skipped in range(min(_FURTHEST, len(ours) - 1 - left)):
        if skipped >= distance:
            break
        places = pairs.get((ours[left + skipped], ours[left + skipped + 1]), [])
        at = bisect_left(places, right)
        if at < len(places) and skipped + places[at] - right < distance:
            distance = skipped + places[at] - right
            nearest = left + skipped, places[at]
    return nearest
