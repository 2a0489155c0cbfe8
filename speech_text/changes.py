"""Finds the places at which the spoken form of a text differs from its written form. Works on strings only.

Both forms are cut into words, single Hanzi and single digits, and are aligned (alignment.py). A change is the
stretch between two aligned words, grown to whole tokens (words, Hanzi, numbers).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import NamedTuple

from speech_text.alignment import Word, aligned, words

_JOINED = re.compile(r"[^\s,;!?()\[\]{}\"“”…—：；？\u2e80-\uabff\uf900-\uff0f]*")  # one token
_MOST_USES = 50  # uses of rules that are examined for one word of a change
_ORDINARY = frozenset(" \t\r\n。，？！；：、…—·《》“”‘’（）【】「」『』,.?!;:'\"()[]{}-_*#`~|>\\")


@dataclass(frozen=True, slots=True)
class Change:
    """A part of a text whose spoken form differs from its written form.

    `written` is that part, which starts at character `start` of the text (from 0). `said` is the spoken form,
    empty if nothing is spoken. `written` consists of whole words, Hanzi or numbers, or of signs alone. `rule`
    is the kind of the rule that made the change; None if no rule is known. "mark", "lexicon" and "verbatim"
    stand for a user's mark, for the lexicon, and for the shortening of addresses and code.
    """

    written: str
    said: str
    start: int
    rule: str | None = None


class Use(NamedTuple):
    """One use of a reading rule. The rule of kind `kind` replaced the text `written`, such as a number or a
    sign, by the words `said`. Earlier rules may have changed parts of `written` before."""

    kind: str
    written: str
    said: str


class Place(NamedTuple):
    """A change and the place of its words in the spoken text: characters `said_from` to `said_to`
    (exclusive). `shown` is the spoken form for display: unchanged letters keep their written case."""

    change: Change
    said_from: int
    said_to: int
    shown: str


class Same(NamedTuple):
    """An unchanged word: characters `start` to `end` of the written text, and characters `said_from` to
    `said_to` of the spoken text. Both ends are exclusive."""

    start: int
    end: int
    said_from: int
    said_to: int


class Comparison(NamedTuple):
    """The result of `compare`. `shown` is the spoken text, in which unchanged words keep their written case.
    `places` are the changes in written order. `same` are the unchanged words, one by one."""

    shown: str
    places: tuple[Place, ...]
    same: tuple[Same, ...] = ()


class _Gap(NamedTuple):
    """A stretch in which the two texts differ: characters `start` to `end` of the written text, spoken as
    characters `said_from` to `said_to` of the spoken text. `words` is the range of the numbers of the written
    words in the stretch."""

    words: range
    start: int
    end: int
    said_from: int
    said_to: int


class _Touched(NamedTuple):
    """One use of a rule: the `kind` of the rule, the set of words that it replaced and the set of words that
    it wrote instead."""

    kind: str
    written: frozenset[str]
    said: frozenset[str]


def compare(written: str, said: str, uses: Sequence[Use] = (), given: Sequence[Change] = ()) -> Comparison:
    """Compares a text with its spoken form and returns the changed places and the unchanged words.

    Differences of case, of character width and of ordinary punctuation are no changes. `uses` are the uses of
    reading rules; each change gets the kind of the rule that fits it best. `given` are changes that this
    comparison cannot find and adds to the result. Their words stand in `said` as they are written, such as
    words with a prescribed pronunciation.
    """
    by_word: dict[str, list[_Touched]] = defaultdict(list)
    for use in uses:
        touched = _Touched(use.kind, _folded(use.written), _folded(use.said))
        for word in touched.written:
            by_word[word].append(touched)
    before, after = words(written), words(said)
    pairs = list(aligned(before, after))
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
    before: Sequence[Word],
    after: Sequence[Word],
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
    """Returns the kind of the rule that made `change`, None if no rule fits. A rule fits if one of its uses
    shares words with `change.written` and with `change.said`. The use that shares the most words wins; of
    several, the one with the fewest words. `by_word` lists the uses by the words that they replaced."""
    written, said = _folded(change.written), _folded(change.said)
    best, kind = (0, 0), None
    for word in dict.fromkeys(word.folded for word in words(change.written)):
        for touched in by_word.get(word, [])[:_MOST_USES]:
            made = len(said & touched.said)
            fit = made + len(written & touched.written), -len(touched.written | touched.said)
            if made and fit > best:
                best, kind = fit, touched.kind
    return kind


def _folded(text: str) -> frozenset[str]:
    return frozenset(word.folded for word in words(text))


def _given(
    given: Sequence[Change], before: Sequence[Word], after: Sequence[Word], pairs: Sequence[tuple[int, int]]
) -> Iterator[Place]:
    """Yields each of the changes `given` with the place of its words in the spoken text. If a rule changed
    these words too, they are not among the unchanged `pairs`, and the place is empty (0 to 0)."""
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
    before: Sequence[Word],
    after: Sequence[Word],
    pairs: Sequence[tuple[int, int]],
) -> Iterator[_Gap]:
    """Yields the stretches that lie between neighbouring `pairs` of equal words, before the first pair and
    after the last pair. Ordinary punctuation at both ends of a stretch is cut off, and a stretch that has
    nothing else is left out."""
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
    pairs: Sequence[tuple[int, int]], gaps: Sequence[_Gap], written: str, before: Sequence[Word]
) -> list[tuple[int, int]]:
    """Returns `pairs`, the pairs of equal words, without those whose token changes elsewhere: once 15 in
    iPhone15 is spoken as a word, the pair of iPhone is left out too.

    A spoken word that is inserted where nothing is written changes the token before it. Spoken words in place
    of a sign change the tokens that touch the sign. A sign that is dropped changes no token.
    """
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


def _touches(words: Sequence[Word], gap: _Gap) -> bool:
    return any(word.end == gap.start or word.start == gap.end for word in words)


def _tokens(written: str, words: Sequence[Word]) -> list[int]:
    """Returns, for each of `words`, the number of the token that holds it. A token is a single Hanzi, or
    words and digits that are written without a blank, comma or bracket between them (iPhone15, 3-5)."""
    whole = [_JOINED.fullmatch(written, last.start, word.end) is not None for last, word in pairwise(words)]
    return [0, *accumulate(not joined for joined in whole)]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    first = start
    while start < end and text[start] in _ORDINARY and not _is_sign(text, start):
        start += 1
    while start < end and text[end - 1] in _ORDINARY:
        end -= 1
    return (start, end) if start < end else (first, first)


def _is_sign(text: str, at: int) -> bool:
    """Returns whether `text[at]` is a minus sign or a decimal point directly before a digit."""
    return text[at] in "-." and text[at + 1 : at + 2].isdigit()
