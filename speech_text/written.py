"""Finds the original text of each spoken segment, and its words with their length in syllables. Works on
strings only."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise

from speech_text.changes import HANZI, Link
from speech_text.cut.split import SYLLABLE_WEIGHT, weight
from speech_text.types import Written, WrittenWord

# A unit of the written text: a Hanzi, a word, or a number with the marks inside it.
_UNIT = re.compile(rf"[{HANZI}]|[^\W_{HANZI}]+(?:['’.,:/@-][^\W_{HANZI}]+)*")
_SAID_WORD = re.compile(rf"[{HANZI}]|[^\W_{HANZI}]+(?:'[^\W_{HANZI}]+)*")
_OPENING = "“‘（(【「『《〈[{"
_PAUSES = frozenset("。！？，、；：….!?,;:—\n")
# The length of an English word in syllables of Mandarin: an amount for each letter and each syllable, and a
# factor for a word without stress. Measured on speech with known times (bench/word_times.py).
_PER_LETTER, _PER_SYLLABLE, _UNSTRESSED = 0.2, 0.3, 0.7
_LIGHT = re.compile(
    "an?|the|of|to|in|on|at|by|for|from|with|and|or|but|as|is|are|was|be|been|its?|that|this|than|your?|s?he|"
    "we|they|i|his|her|our|not|has|had|have|do|does|if|so|there|can|could|would|should|will|m[ey]|him|them|who"
)


def written_segments(plain: str, said: str, links: Sequence[Link], starts: Sequence[int]) -> list[Written]:
    """Returns the written text of each segment, with its words.

    `plain` is the whole written text, and `said` the whole spoken text. `links` are the words and changes of
    both. `starts` are the places in `said` at which the segments begin. A word that is written once and
    spoken in two segments belongs to the first.
    """
    by_segment: list[list[Link]] = [[] for _ in starts]
    latest = 0
    for unit in _units(plain, links):
        latest = max(latest, bisect_right(starts, unit.said_from) - 1)
        by_segment[latest].append(unit)
    cuts = _cuts(plain, by_segment)
    return [
        _written(plain, start, end, units, said, begin)
        for (start, end), units, begin in zip(pairwise(cuts), by_segment, starts, strict=True)
    ]


def _units(plain: str, links: Iterable[Link]) -> list[Link]:
    """Returns the Hanzi, words and numbers of `plain` that are spoken, whole and in written order. Words that
    one change speaks together are one unit."""
    whole = [found.span() for found in _UNIT.finditer(plain)]
    ends = [end for _, end in whole]
    units = list[Link]()
    for link in links:
        if link.said_from < link.said_to:
            first, last = bisect_right(ends, link.start), bisect_right(ends, link.end - 1)
            spans = [
                (link.start, link.end),
                *(span for span in whole[first : last + 1] if span[0] < link.end),
            ]
            unit = link._replace(start=min(spans)[0], end=max(end for _, end in spans))
            if units and (unit.start < units[-1].end or unit.start == unit.end):
                units[-1] = units[-1].with_(unit)  # a part of it, or a word that is spoken together with it
            else:
                units.append(unit)
    return units


def _cuts(plain: str, by_segment: Sequence[Sequence[Link]]) -> list[int]:
    """Returns the place in `plain` at which the text of each segment begins, and the end of `plain` last.
    `by_segment` lists the units of each segment."""
    cuts, done = [0], 0
    for before, units in pairwise(by_segment):
        done = max([done, *(unit.end for unit in before)])
        start = units[0].start if units else done
        while start > done and plain[start - 1] in _OPENING:
            start -= 1
        cuts.append(max(start, cuts[-1]))
    return [*cuts, len(plain)]


def _written(plain: str, start: int, end: int, units: Sequence[Link], said: str, begin: int) -> Written:
    text = plain[start:end]
    start += len(text) - len(text.lstrip())
    text = text.strip()
    ends = [*(unit.start for unit in units[1:]), start + len(text)][: len(units)]
    words = [
        WrittenWord(
            unit.start - start,
            unit.end - start,
            sum(map(_syllables, _SAID_WORD.findall(said, unit.said_from, unit.said_to))),
            not _PAUSES.isdisjoint(plain[unit.end : following]),
            unit.said_from - begin,
        )
        for unit, following in zip(units, ends, strict=True)
    ]
    return Written(text, words, plain.count("\n", 0, start), start)


def _syllables(word: str) -> float:
    """Returns roughly how long it takes to say a word, counted in syllables of Mandarin."""
    if not word.isascii():
        return weight(word)
    syllables = _PER_SYLLABLE * weight(word) / SYLLABLE_WEIGHT + _PER_LETTER * len(word)
    return syllables * (_UNSTRESSED if _LIGHT.fullmatch(word.lower()) else 1.0)
