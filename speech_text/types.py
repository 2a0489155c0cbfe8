"""The types that the reading of a text takes and returns. Knows no rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

RuleSet = Literal["default", "published"]
Verbatim = Literal["read", "short", "skip"]


@dataclass(frozen=True, slots=True)
class LexiconEntry:
    """How a word is said: as `reading` in pinyin, or as the text `replacement`. If `context` is set, the
    entry is used only where the sentence has that text within 50 characters of the word."""

    word: str
    reading: str | None = None
    replacement: str | None = None
    context: str | None = None


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How a text is read. `use_phoneme` writes polyphones and rare characters as phonemes. `verbatim` says
    how much of addresses and code is said; None decides by the text's length (markup/verbatim.py). `lexicon`
    holds entries for this text alone."""

    use_phoneme: bool = False
    verbatim: Verbatim | None = None
    lexicon: Sequence[LexiconEntry] = ()


@dataclass(frozen=True, slots=True)
class WrittenWord:
    """A word, Hanzi or figure: the characters `start` to `end` of a text. `syllables` is roughly the number
    of syllables in which it is spoken. `pause` says whether a speaker would pause after it. `said` is the
    place in the segment's text in words at which it is spoken."""

    start: int
    end: int
    syllables: float
    pause: bool
    said: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """The written form of a segment, without its marks. `paragraph` is a number that grows with each line
    end. `start` is the number of characters before the segment in the whole text without marks."""

    text: str
    words: Sequence[WrittenWord]
    paragraph: int
    start: int = 0
