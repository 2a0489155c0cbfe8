"""Reads polyphones by the Hanzi around them, with the network of g2pM, which learned from the CPP dataset.

assets/readings/guessed.txt has the Hanzi that the network reads better than the tables and pypinyin do where
no row and no phrase holds. They were counted in the development part of the CPP dataset and in
tests/speech_text/polyphone*.tsv.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache

from g2pM import G2pM

from speech_text.phonemes.pinyin import Phonemes
from speech_text.phonemes.polyphones import READINGS, syllables_of

_network = cache(G2pM)


@cache
def guessable() -> frozenset[str]:
    return frozenset((READINGS / "guessed.txt").read_text(encoding="utf-8").strip())


@lru_cache(1)
def guesses(run: str) -> Mapping[int, Phonemes]:
    """Returns the readings of the guessable Hanzi of `run` by their places. A reading that g2pM's dictionary
    does not give to its Hanzi is left out."""
    network = _network()
    found = enumerate(zip(run, network(run, char_split=True), strict=True))
    return {
        at: syllables_of(reading)[0]
        for at, (char, reading) in found
        if char in guessable() and reading in network.cedict[char]
    }
