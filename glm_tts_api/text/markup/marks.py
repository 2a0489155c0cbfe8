"""Marks in a text: [[重庆|chong2 qing4]], [[pause 0.8]], [[voice exampleB]], [[speed 0.9]]. Knows strings.

The rules of reading never see a mark. In their text, a marked word is a row of placeholders, one for each
syllable: a Hanzi that no rule knows. A mark that cuts the text is a line of its own. The rules keep all of
these in their order, so the marks are put back into their result.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from glm_tts_api.errors import MalformedPronunciation, quote
from glm_tts_api.text.phonemes.pinyin import Phonemes, phoneme_names
from glm_tts_api.text.signs import PUNCTUATION, has_hanzi

MOST_MARK_CHARS = 200
MOST_PAUSES_S = 300  # of one text, together
_MARK = re.compile(rf"\[\[([^\[\]\n]{{1,{MOST_MARK_CHARS}}})\]\]")
_COMMAND = re.compile(r"\s*(pause|voice|speed)(\s[^|]*)?")
_WORD = re.compile(r"([^|]+)\|([^|]*)")
_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,6})?|\.\d{1,6}", re.ASCII)
_BOUNDS = {"pause": (0.05, 10.0, "seconds"), "speed": (0.25, 4.0, "times as fast")}
# Hanzi that no dictionary has, and characters outside the main block, which change no line's language.
_HANZI = tuple(map(chr, range(0x9FA6, 0x9FF0)))
_OTHERS = tuple(map(chr, range(0x3400, 0x3440)))


@dataclass(frozen=True, slots=True)
class Sound:
    """A syllable as the tokenizer takes it. `word`: at its first syllable the word that was marked, else
    empty."""

    tokens: str
    word: str


@dataclass(frozen=True, slots=True)
class Cut:
    """A change at a place: a pause, and the voice (empty: the request's own) or the speed from there on.
    `block_s`: the pause of a paragraph's end, where no mark asks for another."""

    pause_s: float = 0.0
    block_s: float = 0.0
    voice: str | None = None
    speed: float | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """The text at `start`: `written`, said as these `syllables`, or as the text `said`; or a cut. `rule`: the
    source of the reading, where it is given."""

    start: int
    written: str = ""
    said: str = ""
    syllables: tuple[Phonemes, ...] = ()
    cut: Cut | None = None
    rule: Literal["mark", "lexicon", "verbatim"] | None = None


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text without its marks; `text` is for the rules, with placeholders. `plain`: the written text;
    `places`: the place of each of its characters in the original; `given`: the words whose reading is given;
    `placeholders`: of a syllable, of one in a word without Hanzi, of a cut."""

    text: str
    plain: str
    places: Sequence[int]
    given: tuple[Part, ...] = ()
    sounds: tuple[Sound, ...] = ()
    cuts: tuple[Cut, ...] = ()
    placeholders: tuple[str, str, str] = ("", "", "")

    def stretches(self, normalized: str) -> Iterator[tuple[Cut, str]]:
        """The rules' result for `text`, in stretches, each with the change before it. Raises
        MalformedPronunciation if the rules lost a mark."""
        parts = normalized.split(self.placeholders[2]) if self.cuts else [normalized]
        n_sounds = sum(map(normalized.count, self.placeholders[:2])) if self.sounds else 0
        if (len(parts) - 1, n_sounds) != (len(self.cuts), len(self.sounds)):
            raise MalformedPronunciation("A mark stands where it is not read: [[...]] may not be in markup.")
        yield Cut(), parts[0]
        for cut, part in zip(self.cuts, parts[1:], strict=True):
            yield cut, part.lstrip(PUNCTUATION + " ")

    def put_back(self, segment: str, sounds: Iterator[Sound], read: Callable[[str], str]) -> tuple[str, str]:
        """A segment in words, and as the tokenizer takes it: the `sounds` that come next in place of its
        placeholders, and what lies between as `read` has it."""
        if not self.sounds:
            return segment, read(segment)
        words, spoken = "", ""
        for part in re.split(f"([{''.join(self.placeholders[:2])}])", segment):
            if part and part in self.placeholders:
                sound = next(sounds)
                words, spoken = words + sound.word, spoken + sound.tokens
            elif part:
                words, spoken = words + part, spoken + read(part)
        return words, spoken


def take_out_marks(text: str, parts: Iterable[Part]) -> MarkedText:
    """`text`, which came in these parts, without its marks."""
    others = _unused(_OTHERS, text, 2)
    placeholders = (_unused(_HANZI, text, 1)[0], others[0], others[1])
    for_rules, plain, places = [], [], []
    given, sounds, cuts = [], [], []
    for part in parts:
        if part.cut is not None:
            cuts.append(part.cut)
            for_rules.append(f"\n{placeholders[2]}\n")
            if not part.cut.block_s:  # behind which the text has a line end of its own
                plain.append("\n")
                places.append(part.start)
            continue
        if part.syllables:
            sounds += _sounds(part)
            for_rules.append(placeholders[not has_hanzi(part.written)] * len(part.syllables))
        else:
            for_rules.append(part.said)
        if part.rule is not None:
            given.append(part)
        plain.append(part.written)
        places += range(part.start, part.start + len(part.written))
    joined = "".join(for_rules), "".join(plain)
    return MarkedText(*joined, places, tuple(given), tuple(sounds), tuple(cuts), placeholders)


def parts_of(text: str, inventory: Collection[str]) -> Iterator[Part]:
    """`text` and its marks. Raises MalformedPronunciation for a mark that makes no sense, which it names with
    its place."""
    done, pauses_s = 0, 0.0
    for mark in _MARK.finditer(text):
        try:
            part = _mark(mark, inventory)
            pauses_s += part.cut.pause_s if part and part.cut else 0.0
            if round(pauses_s, 6) > MOST_PAUSES_S:
                raise ValueError(f"the pauses of a text may last {MOST_PAUSES_S} seconds together")
        except ValueError as error:
            raise MalformedPronunciation(
                f"The mark {quote(mark[0])} at character {mark.start()} cannot be read: {error}."
            ) from None
        if part is not None:
            yield Part(done, text[done : mark.start()], text[done : mark.start()])
            yield part
            done = mark.end()
    yield Part(done, text[done:], text[done:])


def cut_blocks(parts: Iterable[Part], ends: Iterable[tuple[int, float]]) -> Iterator[Part]:
    """The parts with a cut at each end of a block: its place in the text, and the pause behind it."""
    left = deque(ends)
    for part in parts:
        done = 0
        while left and left[0][0] <= part.start + len(part.written):
            end, pause_s = left.popleft()
            at = max(end - part.start, done)
            if part.written[done:at] and not part.syllables:
                yield Part(part.start + done, part.written[done:at], part.said[done:at])
                done = at
            yield Part(end, cut=Cut(block_s=pause_s))
        yield replace(part, start=part.start + done, written=part.written[done:], said=part.said[done:])


def voices_in(text: str) -> list[str]:
    """The voices that marks call for, in their order; empty for the request's own."""
    commands = (_COMMAND.fullmatch(mark[1]) for mark in _MARK.finditer(text))
    return [_value(command) for command in commands if command and command[1] == "voice"]


def lasting_marks(text: str) -> dict[str, str]:
    """The voice and the speed that marks in the text ask for at its end; an empty voice is the request's."""
    commands = (_COMMAND.fullmatch(mark[1]) for mark in _MARK.finditer(text))
    return {command[1]: _value(command) for command in commands if command and command[1] != "pause"}


def before_mark(text: str, at: int) -> int:
    """`at`, or the start of the mark that this place of the text is in."""
    begin = max(0, at - MOST_MARK_CHARS - len("[["))
    marks = _MARK.finditer(text, begin)
    mark = next((mark for mark in marks if mark.end() > at), None)
    return min(at, mark.start()) if mark else at


def without_marks(text: str) -> str:
    """The text as it is read by eye."""
    return _MARK.sub(_by_eye, text)


def _by_eye(mark: re.Match[str]) -> str:
    if _COMMAND.fullmatch(mark[1]):
        return ""
    word = _WORD.fullmatch(mark[1])
    return word[1].strip() if word else mark[0]


def _mark(mark: re.Match[str], inventory: Collection[str]) -> Part | None:
    """The mark; None for brackets that are text. Raises ValueError."""
    if command := _COMMAND.fullmatch(mark[1]):
        return Part(mark.start(), cut=_cut(command[1], _value(command)))
    if word := _WORD.fullmatch(mark[1]):
        written = word[1].strip()
        if not any(char.isalnum() for char in written):
            raise ValueError("there is no word before the |")
        start = mark.start(1) + mark[1].index(written)
        return Part(start, written, syllables=tuple(phoneme_names(word[2], inventory)), rule="mark")
    return None


def _value(command: re.Match[str]) -> str:
    return (command[2] or "").strip()


def _cut(command: str, value: str) -> Cut:
    if command == "voice":
        return Cut(voice=value)
    least, most, unit = _BOUNDS[command]
    allowed = f"{command} takes a number from {least:g} to {most:g} ({unit}), as in [[{command} 0.8]]"
    if not _NUMBER.fullmatch(value) or not least <= float(value) <= most:
        raise ValueError(allowed)
    return Cut(pause_s=float(value)) if command == "pause" else Cut(speed=float(value))


def _sounds(part: Part) -> list[Sound]:
    tokens = ["".join(f"<|{name}|>" for name in syllable) for syllable in part.syllables]
    return [Sound(token, "" if at else part.written) for at, token in enumerate(tokens)]


def _unused(chars: Sequence[str], text: str, n: int) -> tuple[str, ...]:
    """The first `n` that are not in the text, or the last ones where it has them all."""
    unused = [char for char in chars if char not in text]
    return tuple([*unused, *chars[-n:]][:n])
