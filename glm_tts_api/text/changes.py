"""Where a text is said otherwise than it is written. Knows strings only.

Both are cut into words, Hanzi and digits, and laid side by side; a change is what lies between two places
that are the same, grown to whole tokens (words, Hanzi, figures). Each look ahead is bounded, so a text takes
linear time however little of it stays.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import NamedTuple

_HANZI = "\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[^\W\d_{_HANZI}]+(?:'[^\W\d_{_HANZI}]+)*|[^\W_]")
_JOINED = re.compile(r"[^\s,;!?()\[\]{}\"“”…—：；？\u2e80-\uabff\uf900-\uff0f]*")  # one token with its signs
_FURTHEST = 150  # words that a change may hold on either side
_MOST_USES = 50  # of one word, among which that behind a change is looked for
_ORDINARY = frozenset(" \t\r\n。，？！；：、…—·《》“”‘’（）【】「」『』,.?!;:'\"()[]{}-_*#`~|>\\")


@dataclass(frozen=True, slots=True)
class Change:
    """`written`, at `start` (in characters from 0), is said as `said`; nothing if it is dropped. Both are
    whole words, Hanzi or figures, or signs that are dropped. `rule`: the kind of the rule behind it where it
    has a name; "mark" or "lexicon" where the user asked for it."""

    written: str
    said: str
    start: int
    rule: str | None = None


class Use(NamedTuple):
    """A rule's change of a place; earlier rules may have changed parts of it."""

    kind: str
    written: str
    said: str


class Place(NamedTuple):
    """A change; where its words stand in what is said; and how to show them: letters that stay have the case
    in which they are written."""

    change: Change
    said_from: int
    said_to: int
    shown: str


class Same(NamedTuple):
    """A word at `start` to `end` of what is written, and where it stands in what is said."""

    start: int
    end: int
    said_from: int
    said_to: int


class Comparison(NamedTuple):
    """`shown`: the spoken text, its unchanged words in their written case; `places`: the changed places, in
    written order; `same`: the unchanged words, one by one."""

    shown: str
    places: tuple[Place, ...]
    same: tuple[Same, ...] = ()


class _Gap(NamedTuple):
    """`words` of what is written, at `start` to `end`, and what is said in their place."""

    words: range
    start: int
    end: int
    said_from: int
    said_to: int


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


def compare(written: str, said: str, uses: Sequence[Use] = (), given: Sequence[Change] = ()) -> Comparison:
    """Case, width and ordinary marks make no change. `uses`: what the rules did, among which each change
    finds its own; `given`: changes of words that stand in `said` as they are written."""
    by_word: dict[str, list[_Touched]] = defaultdict(list)
    for use in uses:
        touched = _Touched(use.kind, _folded(use.written), _folded(use.said))
        for word in touched.written:
            by_word[word].append(touched)
    before, after = _words(written), _words(said)
    pairs = list(_same(before, after))
    shown = _in_written_case(written, said, before, after, pairs)
    pairs = _without_touched(pairs, list(_gaps(written, said, before, after, pairs)), written, before)
    found = list(_given(given, before, after, pairs))
    for gap in _gaps(written, said, before, after, pairs):
        change = Change(written[gap.start : gap.end], said[gap.said_from : gap.said_to], gap.start)
        change = replace(change, rule=_kind_behind(change, by_word))
        found.append(Place(change, gap.said_from, gap.said_to, shown[gap.said_from : gap.said_to]))
    same = tuple(
        Same(before[at].start, before[at].end, after[spoken_at].start, after[spoken_at].end)
        for at, spoken_at in pairs
    )
    return Comparison(shown, tuple(sorted(found, key=lambda place: place.change.start)), same)


def _in_written_case(
    written: str,
    said: str,
    before: Sequence[_Word],
    after: Sequence[_Word],
    pairs: Sequence[tuple[int, int]],
) -> str:
    shown = list(said)
    for at, spoken_at in pairs:
        start, end = before[at].start, before[at].end
        said_from, said_to = after[spoken_at].start, after[spoken_at].end
        if end - start == said_to - said_from:
            shown[said_from:said_to] = written[start:end]
    return "".join(shown)


def _kind_behind(change: Change, by_word: Mapping[str, list[_Touched]]) -> str | None:
    """The kind of the rule behind a change: of the rules that made a word of its spoken form, the one that
    shares most words with it, written and spoken. Of several, the one with the fewest other words."""
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


def _given(
    given: Sequence[Change], before: Sequence[_Word], after: Sequence[_Word], pairs: Sequence[tuple[int, int]]
) -> Iterator[Place]:
    """A change whose words were changed otherwise as well has no place of its own."""
    starts = [before[at].start for at, _ in pairs]
    for change in given:
        first = bisect_left(starts, change.start)
        end = bisect_left(starts, change.start + len(change.written))
        here = [after[spoken_at] for _, spoken_at in pairs[first:end]]
        said_from, said_to = (here[0].start, here[-1].end) if here else (0, 0)
        yield Place(change, said_from, said_to, change.said)


def _gaps(
    written: str,
    said: str,
    before: Sequence[_Word],
    after: Sequence[_Word],
    pairs: Sequence[tuple[int, int]],
) -> Iterator[_Gap]:
    """Between two pairs each, unless ordinary marks alone lie there."""
    first = start = said_from = 0
    for at, spoken_at in [*pairs, (len(before), len(after))]:
        end = before[at].start if at < len(before) else len(written)
        said_to = after[spoken_at].start if spoken_at < len(after) else len(said)
        gap = _Gap(range(first, at), *_trimmed(written, start, end), *_trimmed(said, said_from, said_to))
        if gap.start < gap.end or gap.said_from < gap.said_to:
            yield gap
        if at < len(before):
            first, start, said_from = at + 1, before[at].end, after[spoken_at].end


def _without_touched(
    pairs: Sequence[tuple[int, int]], gaps: Sequence[_Gap], written: str, before: Sequence[_Word]
) -> list[tuple[int, int]]:
    """The pairs, without those of which another part of the same token is said differently. A spoken
    insertion beside no word belongs to the word before it; signs belong to the words that they touch; dropped
    signs are no part of a word."""
    tokens = _tokens(written, before)
    touched: set[int] = set()
    for gap in gaps:
        touched.update(tokens[gap.words.start : gap.words.stop])
        if gap.words or gap.said_from == gap.said_to:
            continue
        at = gap.words.start
        if gap.start == gap.end:
            touched.add(tokens[max(0, at - 1)])
        else:
            touched.update(tokens[n] for n in (at - 1, at) if n >= 0 and _touches(before[n : n + 1], gap))
    return [pair for pair in pairs if tokens[pair[0]] not in touched]


def _touches(words: Sequence[_Word], gap: _Gap) -> bool:
    return any(word.end == gap.start or word.start == gap.end for word in words)


def _tokens(written: str, words: Sequence[_Word]) -> list[int]:
    """The number of the token that each word is of: a Hanzi, or what stands together (iPhone15, 3-5)."""
    whole = [_JOINED.fullmatch(written, last.start, word.end) is not None for last, word in pairwise(words)]
    return [0, *accumulate(not joined for joined in whole)]


def _words(text: str) -> list[_Word]:
    return [
        _Word(unicodedata.normalize("NFKC", word.group()).lower(), *word.span())
        for word in _WORD.finditer(text)
    ]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    first = start
    while start < end and text[start] in _ORDINARY and not _is_sign(text, start):
        start += 1
    while start < end and text[end - 1] in _ORDINARY:
        end -= 1
    return (start, end) if start < end else (first, first)


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
