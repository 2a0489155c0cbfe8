"""When each word of a segment is said, reckoned from its sound: no model hears it.

Silences are laid on the places where one would pause, so that what lies between two of them takes as long as
its syllables let one expect; there each word has a share of the time by its syllables, and its edges are
moved to the quietest moment near by. Knows samples; knows no text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from glm_tts_api.contracts import Float32

_HOP_S = 0.01
_QUIET_DB = 30.0  # below the loud hops
_LEAST_SILENCE = 7  # hops: the closure of a plosive is shorter
# The rest was set on speech whose times are known (scripts/benchmarks/word_times.py).
_LAST = 0.4  # syllables by which the last word before a pause is longer
_NO_PLACE = 2.0  # the cost of a silence where one would not pause
_UNUSED = 0.15  # the cost of each hop of a silence inside words
_NEAR = 0.35  # of a word's length, how far its edge is moved
_FAR_DB = 6.0  # by which that must be quieter at its furthest

Levels = npt.NDArray[np.float64]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Said:
    """A word: roughly its `syllables`, and whether one would `pause` behind it."""

    syllables: float
    pause: bool = False


def word_places(pcm: Float32, sample_rate: int, words: Sequence[Said]) -> list[Span]:
    """Where each of `words`, one at least, begins and ends in the samples of a segment, [n] mono in
    [-1, 1]."""
    hop = round(_HOP_S * sample_rate)
    levels = _levels(pcm, hop)
    pauses = [word.pause for word in words]
    lengths = [max(word.syllables, 0.1) + _LAST * word.pause for word in words]
    lengths[-1] += _LAST * (not pauses[-1])
    sums = np.cumsum([0.0, *lengths])
    places = []
    for span, first, end in _laid(_stretches(levels), sums, pauses):
        places += _shared(levels, span, sums[first : end + 1])
    return [(min(start * hop, len(pcm)), min(end * hop, len(pcm))) for start, end in places]


def _levels(pcm: Float32, hop: int) -> Levels:
    """The level of each hop with its neighbours, in dB."""
    n_hops = max(1, -(-len(pcm) // hop))
    power = np.zeros(n_hops * hop)
    power[: len(pcm)] = np.square(pcm.astype(np.float64))
    means = np.pad(power.reshape(n_hops, hop).mean(axis=1), 1, mode="edge")
    return np.asarray(10 * np.log10(np.convolve(means, (0.25, 0.5, 0.25), mode="valid") + 1e-10))


def _stretches(levels: Levels) -> list[Span]:
    """The stretches of speech between silences."""
    loud = np.flatnonzero(levels > np.percentile(levels, 95) - _QUIET_DB)
    breaks = np.flatnonzero(np.diff(loud) > _LEAST_SILENCE)
    starts, ends = loud[np.r_[0, breaks + 1]], loud[np.r_[breaks, len(loud) - 1]] + 1
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def _laid(stretches: Sequence[Span], sums: Levels, pauses: Sequence[bool]) -> list[tuple[Span, int, int]]:
    """Spans and the words (the first, and the end) that are said in each: the cheapest way to part the words
    at silences. `sums`: the lengths of the words, summed up."""
    n_stretches, n_words = len(stretches), len(pauses)
    heard = np.cumsum([0, *(end - start for start, end in stretches)])
    silent = np.cumsum([0, 0, *(after[0] - before[1] for before, after in pairwise(stretches))])
    pace = heard[-1] / sums[-1]  # hops a syllable
    best = np.full((n_stretches + 1, n_words + 1), np.inf)
    back = np.zeros((n_stretches + 1, n_words + 1, 2), np.int64)
    best[0, 0] = 0.0
    for stretch in range(1, n_stretches + 1):
        before = np.arange(stretch)
        took = (heard[stretch] - heard[before])[:, None]
        inside = (silent[stretch] - silent[before + 1])[:, None]
        ends = (n_words,) if stretch == n_stretches else range(1, n_words)
        for word in ends:
            expected = pace * (sums[word] - sums[:word])
            costs = best[:stretch, :word] + (took - expected) ** 2 / (pace * expected) + _UNUSED * inside
            at = np.unravel_index(np.argmin(costs), costs.shape)
            best[stretch, word] = costs[at] + _NO_PLACE * (word < n_words and not pauses[word - 1])
            back[stretch, word] = at
    parts = []
    stretch, word = n_stretches, n_words
    while word:
        begin, first = back[stretch, word].tolist()
        parts.append(((stretches[begin][0], stretches[stretch - 1][1]), first, word))
        stretch, word = begin, first
    return parts[::-1]


def _shared(levels: Levels, span: Span, sums: Levels) -> list[Span]:
    """The places of words that are said without a pause."""
    start, end = span
    ideal = start + (end - start) * (sums - sums[0]) / (sums[-1] - sums[0])
    edges = [start]
    for at in range(1, len(sums) - 1):
        reach = _NEAR * min(ideal[at] - ideal[at - 1], ideal[at + 1] - ideal[at])
        low = min(max(edges[-1], round(ideal[at] - reach)), len(levels) - 1)
        near = levels[low : max(low, round(ideal[at] + reach)) + 1]
        distance = (low + np.arange(len(near)) - ideal[at]) / max(reach, 1.0)
        edges.append(low + int(np.argmin(near + _FAR_DB * distance**2)))
    return list(pairwise([*edges, max(end, edges[-1])]))
