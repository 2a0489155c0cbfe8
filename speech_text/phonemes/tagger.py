"""jieba's part-of-speech tagger, with its search for the most likely states in numpy.

jieba weighs each pair of states in Python. A Hanzi that jieba's model lacks may be in each of 256 states, so
one such Hanzi takes 1.4 ms there. This code adds the same numbers in the same order, and of states that weigh
the same it also takes the one that sorts last. The resulting words are exactly the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from jieba.posseg import POSTokenizer, char_state_tab_P, emit_P, pair, start_P, trans_P

_UNSEEN = -3.14e100  # the log probability of a character in a state in which the model never saw it
_STATES = sorted(trans_P, reverse=True)  # the last first, since argmax takes the first of equals
_NUMBERS = {state: number for number, state in enumerate(_STATES)}
_ALL = np.arange(len(_STATES))
_START = np.array([start_P[state] for state in _STATES])
_STEP = np.array([[trans_P[before].get(state, -np.inf) for before in _STATES] for state in _STATES])
_HAS_NEXT = np.array([bool(trans_P[state]) for state in _STATES])

_Numbers = npt.NDArray[np.intp]


class Tagger(POSTokenizer):  # type: ignore[misc]
    def _POSTokenizer__cut(self, hanzi: str) -> Any:
        """Overrides jieba's `__cut`: yields the words of `hanzi`, with their parts of speech. `hanzi` is a
        run of Hanzi in which the dictionary found no word."""
        begin = end = 0
        places = _likeliest(hanzi)
        for at, (place, tag) in enumerate(places):
            if place in "BS":
                begin = at
            if place in "ES":
                end = at + 1
                yield pair(hanzi[begin:end], tag)
        if end < len(hanzi):
            yield pair(hanzi[end:], places[end][1])


def _likeliest(hanzi: str) -> list[tuple[str, str]]:
    """Returns the most likely state of each character of `hanzi`: its place in a word (B, M, E or S) and the
    part of speech of the word."""
    states = _states_of(hanzi[0])
    weights = _START[states] + _emissions(hanzi[0], states)
    # For each character its possible states, and the best state before each of them.
    way: list[tuple[_Numbers, _Numbers]] = []
    for char in hanzi[1:]:
        open_ended = _HAS_NEXT[states]
        before, weights = states[open_ended], weights[open_ended]
        states = _reachable(before, _states_of(char))
        sums = weights + _STEP[np.ix_(states, before)] + _emissions(char, states)[:, None]
        best = sums.argmax(axis=1)
        way.append((states, before[best]))
        weights = sums[np.arange(len(states)), best]
    number = int(states[weights.argmax()])
    found = [number]
    for states, befores in reversed(way):
        number = int(befores[np.searchsorted(states, number)])
        found.append(number)
    return [_STATES[number] for number in reversed(found)]


def _states_of(char: str) -> _Numbers:
    known = char_state_tab_P.get(char)
    return _ALL if known is None else np.array(sorted(_NUMBERS[state] for state in known))


def _reachable(before: _Numbers, states: _Numbers) -> _Numbers:
    """Returns those of `states` that may follow the states `before`. If none of them may, returns every state
    that may."""
    follow = np.isfinite(_STEP[:, before]).any(axis=1)
    both = states[follow[states]]
    return both if len(both) else np.flatnonzero(follow)


def _emissions(char: str, states: _Numbers) -> npt.NDArray[np.float64]:
    return np.array([emit_P[_STATES[number]].get(char, _UNSEEN) for number in states])
