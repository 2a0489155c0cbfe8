"""The result of reading a text: its segments, and the places where they differ from the written text. Works
on strings only."""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from speech_text.changes import Change, Link, compare
from speech_text.cut.split import weight
from speech_text.errors import quote
from speech_text.marks import MarkedText, Part
from speech_text.places import Placed
from speech_text.signs import PUNCTUATION, has_hanzi
from speech_text.types import Written
from speech_text.written import written_segments

_SYLLABLE_S, _MARK_S = 0.2, 0.25
_MARK = re.compile(f"[{re.escape(PUNCTUATION)}]")
_WORD = re.compile(r"[^\W\d_]{2,}")
_MOST_SHOWN = 20
_ALIKE_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK")  # scripts with letters that look alike


def spoken_seconds(text: str) -> float:
    """Returns a rough estimate of the seconds that it takes to speak `text`, in which numbers are written as
    words."""
    n_marks = len(_MARK.findall(text))
    return _SYLLABLE_S * (weight(text) - n_marks) + _MARK_S * n_marks


@dataclass(frozen=True, slots=True)
class SpokenSegment:
    """A segment of a text, which the model speaks as one utterance.

    `text` is the segment with its numbers and signs written as words. `spoken` is the same text for the LLM's
    tokenizer, in which phoneme tokens may replace Hanzi. `pause_s` seconds of silence come before the
    segment. `voice` is the name of the voice; None is the request's voice. `speed` is a factor on the speed
    of the request.
    """

    text: str
    spoken: str
    pause_s: float = 0.0
    voice: str | None = None
    speed: float = 1.0

    @property
    def seconds(self) -> float:
        """A rough estimate of the segment's duration in seconds, with its pause and at its speed. Voices
        differ."""
        return self.pause_s + spoken_seconds(self.text) / self.speed


@dataclass(frozen=True, slots=True)
class ReadPart:
    """A part of a segment's spoken text. Unchanged letters keep their case from the original text.

    `written` is the original text of the part. None means that the original has the same words; "" means that
    the original text belongs to the segment before.
    """

    text: str
    written: str | None = None


@dataclass(frozen=True, slots=True)
class ShownSegment:
    """A segment for display. `parts` are the parts of its spoken text. `seconds` is a rough estimate of its
    duration in seconds. `start` is the place in the original text at which the segment begins."""

    segment: SpokenSegment
    parts: list[ReadPart]
    seconds: float
    start: int


@dataclass(frozen=True, slots=True)
class ShownReading:
    """A `Reading` prepared for display: the spoken text, its segments, a rough estimate of its duration in
    seconds, the changes and the warnings."""

    text: str
    segments: list[ShownSegment]
    seconds: float
    changes: tuple[Change, ...]
    warnings: list[str]


@dataclass(frozen=True)
class Reading:
    """The result of reading one text. `marked` is the text with its marks taken out. `pause_s` seconds of
    silence follow the last segment. `placed` are the texts of the segments with their places."""

    marked: MarkedText
    segments: tuple[SpokenSegment, ...]
    pause_s: float = 0.0
    placed: tuple[Placed, ...] = ()

    def shown(self) -> ShownReading:
        """Returns the reading prepared for display. This is slow for a text with thousands of changes."""
        segments = [
            ShownSegment(segment, parts, segment.seconds, self._place(written.start))
            for segment, parts, written in zip(self.segments, self.parts, self.written(), strict=True)
        ]
        return ShownReading(self.text, segments, self.seconds, self.changes, list(self.warnings))

    @cached_property
    def text(self) -> str:
        """The spoken text of all segments, joined."""
        return self._separator.join(segment.text for segment in self.segments)

    @property
    def _separator(self) -> str:
        return "" if any(has_hanzi(segment.text) for segment in self.segments) else " "

    @property
    def seconds(self) -> float:
        """A rough estimate of the duration of all segments in seconds, with their pauses."""
        return sum(segment.seconds for segment in self.segments) + self.pause_s

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """The parts of the original text whose spoken form differs from their written form, in written order.
        `start` of each is its place in the original text, in which the marks count too."""
        return tuple(self._change(link) for link in self._compared[1] if link.changed)

    def rows(self) -> list[str]:
        """Returns for each of the `changes` the row of the rules that made it: its place in its table and how
        it is said, or its pattern; "" if no row is known."""
        return [getattr(link.kind, "row", "") for link in self._compared[1] if link.changed]

    def _change(self, link: Link) -> Change:
        start = self._place(link.start)
        part = self._given.get(start)
        said = self.text[link.said_from : link.said_to]
        written = self.marked.plain[link.start : link.end]
        if part and part.syllables and part.written == written:
            said = " ".join(name for syllable in part.syllables for name in syllable)
        return Change(written, said, start, part.rule if part else link.kind and str(link.kind))

    @cached_property
    def _given(self) -> dict[int, Part]:
        """The parts with a reading that a user gave, by the places of their characters."""
        return {part.start + at: part for part in self.marked.given for at in range(len(part.written))}

    @property
    def parts(self) -> Iterator[list[ReadPart]]:
        """Yields a list for each segment: the parts of its text, which are the words whose spoken form
        differs from the written one, and the text between them."""
        ahead = deque(sorted((one for one in self._compared[1] if one.changed), key=lambda one: one[2:4]))
        start = 0
        for segment in self.segments:
            end = start + len(segment.text)
            yield list(self._parts(start, end, ahead))
            start = end + len(self._separator)

    def _parts(self, start: int, end: int, ahead: deque[Link]) -> Iterator[ReadPart]:
        """Yields the parts of the spoken text from `start` to `end`. `ahead` holds the next changes in order.
        The changes that end at `end` or before are removed from `ahead`."""
        text, done = self._compared[0], start
        while ahead and (ahead[0].said_from < end or ahead[0].said_to <= end):
            link, change = ahead[0], self._change(ahead[0])
            first, last = max(link.said_from, done), min(link.said_to, end)
            if done < first:
                yield ReadPart(text[done:first])
            shown = text[first:last]
            if change.said != self.text[first:last] and start <= link.said_from <= link.said_to <= end:
                shown = change.said
            yield ReadPart(shown, change.written if link.said_from >= start else "")
            done = last
            if link.said_to > end:
                break
            ahead.popleft()
        if done < end:
            yield ReadPart(text[done:end])

    @cached_property
    def _compared(self) -> tuple[str, list[Link]]:
        return compare(self.marked.plain, Placed.join(self.placed, self._separator))

    def written(self) -> list[Written]:
        """Returns the original text of each segment, without marks, with the words in it."""
        starts = accumulate((len(one.text) + len(self._separator) for one in self.segments[:-1]), initial=0)
        return written_segments(self.marked.plain, self.text, self._compared[1], list(starts))

    def _place(self, at: int) -> int:
        """Returns the place in the original text that belongs to character `at` of the text without marks.
        For a place after the last character, returns the place after that character."""
        places = self.marked.places
        return places[at] if at < len(places) else places[-1] + 1

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences that warn the user: one lists the characters that are not spoken, and the others each
        name a word that mixes alphabets and may be misspelt."""
        return tuple(_warnings(self.marked.plain, self.changes))


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
