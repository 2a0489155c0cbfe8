"""Cuts one block of a text into parts that a TTS model speaks one by one. Works on strings only."""

from __future__ import annotations

from collections.abc import Iterator

from speech_text.cut.incremental import SentenceSplitter
from speech_text.cut.pieces import pieces
from speech_text.cut.split import MAX_WEIGHT, MIN_WEIGHT, weight

_LONGEST = 180  # characters of a part
_PUSHED = 2000  # characters given to the splitter at a time; each cut copies the text in the splitter


def utterances(text: str) -> Iterator[str]:
    """Cuts the text of a block into pieces of about one segment each. A piece has whole sentences, and short
    sentences stay together. Only a sentence of more than 180 characters is cut inside."""
    together, weighs = "", 0.0
    for sentence in _sentences(text):
        heavy = weight(sentence)
        too_long = weighs + heavy > MAX_WEIGHT or len(together) + len(sentence) > _LONGEST
        if together and (weighs >= MIN_WEIGHT or too_long):
            yield together.strip()
            together, weighs = "", 0.0
        together, weighs = together + sentence, weighs + heavy
    if together.strip():
        yield together.strip()


def _sentences(text: str) -> Iterator[str]:
    """Yields the sentences of `text`. A sentence longer than 180 characters comes in several pieces."""
    splitter = SentenceSplitter()
    for start in range(0, len(text), _PUSHED):
        for sentence in splitter.push(text[start : start + _PUSHED]):
            yield from pieces(sentence, _LONGEST)
        if splitter.n_waiting > _PUSHED:
            yield from pieces(splitter.flush(), _LONGEST)
    yield from pieces(splitter.flush(), _LONGEST)
