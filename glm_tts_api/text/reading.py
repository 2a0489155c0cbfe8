"""What a text is spoken as: its segments, and what became of it on the way. Knows strings only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from glm_tts_api.errors import quote
from glm_tts_api.text.changes import Change, Use, changes
from glm_tts_api.text.marks import PUNCTUATION, has_hanzi
from glm_tts_api.text.markup import MarkedText
from glm_tts_api.text.split import weight

_SYLLABLE_S, _MARK_S = 0.2, 0.25
_MARK = re.compile(f"[{re.escape(PUNCTUATION)}]")
_WORD = re.compile(r"[^\W\d_]{2,}")
_MOST_SHOWN = 20
_ALIKE_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK")  # whose letters look alike


@dataclass(frozen=True, slots=True)
class SpokenSegment:
    """A piece that is said at once: `text` in words, and `spoken` as the LLM's tokenizer takes it, with
    phoneme tokens in place of some of them; after `pause_s` of silence, in `voice` (None: the request's),
    `speed` times as fast as the request asks for."""

    text: str
    spoken: str
    pause_s: float = 0.0
    voice: str | None = None
    speed: float = 1.0

    @property
    def seconds(self) -> float:
        """What it takes to say, roughly: voices differ."""
        marks = len(_MARK.findall(self.text))
        spoken_s = _SYLLABLE_S * (weight(self.text) - marks) + _MARK_S * marks
        return self.pause_s + spoken_s / self.speed


@dataclass(frozen=True)
class Reading:
    """How a text is read; `pause_s` of silence follow its last segment; `uses` of the rules on the way."""

    marked: MarkedText
    segments: tuple[SpokenSegment, ...]
    pause_s: float = 0.0
    uses: tuple[Use, ...] = ()

    @property
    def text(self) -> str:
        """All of it in words."""
        texts = [segment.text for segment in self.segments]
        return ("" if any(map(has_hanzi, texts)) else " ").join(texts)

    @property
    def seconds(self) -> float:
        """What it takes to say, roughly."""
        return sum(segment.seconds for segment in self.segments) + self.pause_s

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """Where it is said otherwise than it is written."""
        return tuple(sorted(self._changes(), key=lambda change: change.start))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is not said at all, and words that look misspelt, a sentence each."""
        return tuple(_warnings(self.marked.plain, self.changes))

    def _changes(self) -> Iterator[Change]:
        replaced: set[int] = set()
        for part in self.marked.given:
            if part.syllables:
                names = " ".join(name for syllable in part.syllables for name in syllable)
                yield Change(part.written, names, part.start, part.rule)
            else:
                replaced.update(range(part.start, part.start + len(part.written)))
        for change in changes(self.marked.plain, self.text, self.uses):
            start = self.marked.places[change.start] if change.written else 0
            yield replace(change, start=start, rule="lexicon" if start in replaced else change.rule)


def _warnings(written: str, found: tuple[Change, ...]) -> Iterator[str]:
    dropped = dict.fromkeys(
        char
        for change in found
        for char in change.written
        if not change.said or unicodedata.category(char) == "So"
    )
    shown = " ".join(char for char in dropped if char.isprintable() and not char.isspace())
    if shown:
        yield f"Not read: {quote(shown)}"
    mixed = [word for word in dict.fromkeys(_WORD.findall(written)) if len(_scripts(word)) > 1]
    for word in mixed[:_MOST_SHOWN]:
        names = " and ".join(_scripts(word))
        yield f"'{quote(word)}' has {names} letters in one word, which may only look alike."


def _scripts(word: str) -> list[str]:
    names = {unicodedata.name(char, "").partition(" ")[0] for char in word if not char.isascii()}
    if any(char.isascii() for char in word):
        names.add("LATIN")
    return [script.capitalize() for script in _ALIKE_SCRIPTS if script in names]
