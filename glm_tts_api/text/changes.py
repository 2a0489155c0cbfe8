"""Where a text is said otherwise than it is written. Knows strings only.

Both are cut into words, Hanzi and digits, and laid side by side; a change is what lies between two places
that are the same. Each look ahead is bounded, so a text takes linear time however little of it stays.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

_WORD = re.compile(r"[^\W\d_\u3400-\u9fff\uf900-\ufaff]+(?:'[^\W\d_\u3400-\u9fff\uf900-\ufaff]+)*|[^\W_]")
_FURTHEST = 150  # words that a change may hold on either side
_MOST_USES = 50  # of one word, among which that behind a change is looked for
_ORDINARY = frozenset(" \t\r\n。，？！；：、…—·《》“”‘’（）【】「」『』,.?!;:'\"()[]{}-_*#`~|>\\")


@dataclass(frozen=True, slots=True)
class Change:
    """`written`, at `start` (in characters from 0), is said as `said`; nothing if it is dropped. `rule`: the
    kind of the rule behind it where it has a name; "mark" or "lexicon" where the user asked for it."""

    written: str
    said: str
    start: int
    rule: str | None = None


class Use(NamedTuple):
    """What a rule made of a place, of which earlier rules may have changed parts."""

    kind: str
    written: str
    said: str


@dataclass(frozen=True, slots=True)
class _Word:
    folded: str
    start: int
    end: int


class _Touched(NamedTuple):
    """A rule's use by the words that it held and those that it made."""

    kind: str
    written: frozenset[str]
    said: frozenset[str]


def changes(written: str, said: str, uses: Sequence[Use] = ()) -> tuple[Change, ...]:
    """In the order of the text. Case, width and ordinary marks make no change. `uses`: what the rules did,
    among which each change finds its own."""
    by_word: dict[str, list[_Touched]] = defaultdict(list)
    for use in uses:
        touched = _Touched(use.kind, _folded(use.written), _folded(use.said))
        for word in touched.written:
            by_word[word].append(touched)
    return tuple(replace(change, rule=_kind_behind(change, by_word)) for change in _found(written, said))


def _kind_behind(change: Change, by_word: Mapping[str, list[_Touched]]) -> str | None:
    """Of the rules that made a word of what is said here, the one that shares most words with this place,
    written and said; of several the one that has least besides."""
    written, said = _folded(change.written), _folded(change.said)
    best, kind = (0, 0), None
    for word in dict.fromkeys(word.folded for word in _words(change.written)):
        for touched in by_word.get(word, [])[:_MOST_USES]:
            made = len(said & touched.said)
            fit = made + len(written & touched.written), -len(touched.written | touched.said)
            if made and fit > best:
                best, kind = fit, touched.kind
    return kind


def _folded(text: str) -> frozenset[str]:
    return frozenset(word.folded for word in _words(text))


def _found(written: str, said: str) -> Iterator[Change]:
    before, after = _words(written), _words(said)
    start = spoken_from = 0
    for at, spoken_at in [*_same(before, after), (len(before), len(after))]:
        end = before[at].start if at < len(before) else len(written)
        spoken_to = after[spoken_at].start if spoken_at < len(after) else len(said)
        left, right = _trimmed(written, start, end), _trimmed(said, spoken_from, spoken_to)
        if left or right:
            place = written.index(left, start) if left else start
            yield Change(left, right, place)
        if at < len(before):
            start, spoken_from = before[at].end, after[spoken_at].end


def _words(text: str) -> list[_Word]:
    return [
        _Word(unicodedata.normalize("NFKC", word.group()).lower(), *word.span())
        for word in _WORD.finditer(text)
    ]


def _trimmed(text: str, start: int, end: int) -> str:
    while start < end and text[start] in _ORDINARY and not _is_sign(text, start):
        start += 1
    while start < end and text[end - 1] in _ORDINARY:
        end -= 1
    return text[start:end]


def _is_sign(text: str, at: int) -> bool:
    """A minus, or a dot, that its number is read with."""
    return text[at] in "-." and text[at + 1 : at + 2].isdigit()


def _same(before: Sequence[_Word], after: Sequence[_Word]) -> Iterator[tuple[int, int]]:
    """The places at which both go on alike."""
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
    """The nearest two words, one after the other, that both have."""
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
