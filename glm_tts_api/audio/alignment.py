"""Estimates when each word of a segment is spoken, from the sound alone and without a model.

The silences in the audio are matched with the words after which a speaker would pause, so that the speech
between two silences takes about as long as its syllables should. Between silences each word gets a share of
the time by its syllables, and its edges are moved to the quietest moment nearby. Works on samples; knows no
text.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from glm_tts_api.contracts import Float32
from speech_text import WrittenWord

_HOP_S = 0.01
_QUIET_DB = 30.0  # a hop that is softer than the loud hops by more than this is silent
_LEAST_SILENCE = 7  # hops; the silence inside a plosive consonant is shorter
# These values were tuned on speech whose times are known (bench/word_times.py).
_LAST = 0.4  # how many syllables longer the last word before a pause is
_NO_PLACE = 2.0  # the cost of a silence after a word where a speaker would not pause
_UNUSED = 0.15  # the cost of each hop of silence that is not matched with the end of a word
_NEAR = 0.35  # an edge is moved by at most this share of the shorter of its two words
_FAR_DB = 6.0  # dB; an edge is moved by the whole share only to a place that is quieter by this

Levels = npt.NDArray[np.float64]
Span = tuple[int, int]


def word_times(pcm: Float32, sample_rate: int, words: Sequence[WrittenWord]) -> list[tuple[float, float]]:
    """Estimates when each word is spoken in a segment's audio. Returns the begin and the end of each word in
    seconds. `pcm` is mono [n] in [-1, 1]; `words` has at least one word."""
    hop = round(_HOP_S * sample_rate)
    levels = _levels(pcm, hop)
    pauses = [word.pause for word in words]
    lengths = [max(word.syllables, 0.1) + _LAST * word.pause for word in words]
    lengths[-1] += _LAST * (not pauses[-1])
    sums = np.cumsum([0.0, *lengths])
    places = []
    for span, first, end in _laid(_stretches(levels), sums, pauses):
        places += _shared(levels, span, sums[first : end + 1])
    last = len(pcm)
    return [
        (min(start * hop, last) / sample_rate, min(end * hop, last) / sample_rate) for start, end in places
    ]


def _levels(pcm: Float32, hop: int) -> Levels:
    """Returns the level of each hop of `hop` samples in dB, smoothed over its two neighbours."""
    n_hops = max(1, -(-len(pcm) // hop))
    power = np.zeros(n_hops * hop)
    power[: len(pcm)] = np.square(pcm.astype(np.float64))
    means = np.pad(power.reshape(n_hops, hop).mean(axis=1), 1, mode="edge")
    return np.asarray(10 * np.log10(np.convolve(means, (0.25, 0.5, 0.25), mode="valid") + 1e-10))


def _stretches(levels: Levels) -> list[Span]:
    """Returns the stretches of speech between silences. A stretch is its first hop and the hop after its
    last."""
    loud = np.flatnonzero(levels > np.percentile(levels, 95) - _QUIET_DB)
    breaks = np.flatnonzero(np.diff(loud) > _LEAST_SILENCE)
    starts, ends = loud[np.r_[0, breaks + 1]], loud[np.r_[breaks, len(loud) - 1]] + 1
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def _laid(stretches: Sequence[Span], sums: Levels, pauses: Sequence[bool]) -> list[tuple[Span, int, int]]:
    """Divides the words among the stretches of speech at the lowest total cost. Returns each part as a tuple:
    its hops, the index of its first word, and the index after its last word. `stretches` are in hops, `sums`
    are the words' cumulated lengths in syllables, and `pauses` says after which words a speaker would
    pause."""
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
    """Divides the hops of `span` among words that are spoken without a pause between them. Returns each
    word's first hop and the hop after its last. `levels` are in dB for each hop, and `sums` are the words'
    cumulated lengths in syllables."""
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
