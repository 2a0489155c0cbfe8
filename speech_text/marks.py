"""Marks in a text that say how it is spoken: [[重庆|chong2 qing4]], [[pause 0.8]], [[voice exampleB]], [[mood
glad]], [[speed 0.9]]. Works on strings.

The reading rules never see a mark. In their text a marked word is a row of placeholders, one for each
syllable, and a placeholder is a Hanzi that no rule knows. A mark that cuts the text (pause, voice, mood,
speed) is a placeholder on a line of its own. The rules keep the order of the placeholders, so the marks are
put back into the result of the rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, repeat
from typing import Final, Literal

from speech_text.errors import TextError, quote
from speech_text.phonemes.pinyin import Phonemes, phoneme_names
from speech_text.places import Edit, Placed
from speech_text.signs import PUNCTUATION, has_hanzi

MOOD_SIGN: Final = ":"  # `my_voice:glad` is the voice my_voice in its mood glad
MOST_MARK_CHARS = 200
MOST_PAUSES_S = 300  # seconds of all pauses of one text together
# Double brackets around anything else are ordinary text.
_MARK = re.compile(
    rf"\[\[(?=[^\[\]\n]{{1,{MOST_MARK_CHARS}}}\]\])(?:\s*(?P<command>pause|voice|mood|speed)(?P<value>\s[^|\]]*)?"
    r"|(?P<word>[^|\]]+)\|(?P<reading>[^|\]]*)|[^\]]*)\]\]"
)
_RESPELLED = re.compile("[A-Za-z\u4e00-\u9fff][A-Za-z\u4e00-\u9fff' -]*")
_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,6})?|\.\d{1,6}", re.ASCII)
_BOUNDS = {"pause": (0.05, 10.0, "seconds"), "speed": (0.25, 4.0, "times as fast")}
# Placeholders: Hanzi that no dictionary has, and Hanzi outside the main block, which make no line Chinese.
_HANZI = tuple(map(chr, range(0x9FA6, 0x9FF0)))
_OTHERS = tuple(map(chr, range(0x3400, 0x3440)))


def in_mood(voice: str, mood: str) -> str:
    """Returns the name of `voice` in `mood`, without the mood that `voice` may name: "ann:sad" and "glad"
    give "ann:glad". An empty `mood` means the voice's first recording. A name that begins with `:` means the
    request's own voice: ":glad" is that voice in the mood glad, ":" is that voice as the request has it."""
    name = voice.partition(MOOD_SIGN)[0]
    return f"{name}{MOOD_SIGN}{mood}" if mood or not name else name


Sound = tuple[str, str]
"""A syllable of a marked word as `tokens` for the LLM's tokenizer, and the word: "" but at its first
syllable."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A place in a text at which the way of speaking changes.

    `pause_s` are the seconds of a pause that a mark asks for. `block_s` is the pause after a block (a
    paragraph), which counts where no mark asks for a pause. `voice` and `speed` hold from there on; None
    leaves them unchanged. `voice` includes the mood, as `in_mood` writes it; an empty one is the request's.
    """

    pause_s: float = 0.0
    block_s: float = 0.0
    voice: str | None = None
    speed: float | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a text: `written`, which stands at character `start`. It is spoken as `syllables` if there
    are any, otherwise as the text `said`. A part that has a `cut` has no text. `rule` says that the user's
    mark, the lexicon or the shortening of addresses and code gave the reading; None stands for ordinary
    text."""

    start: int
    written: str = ""
    said: str = ""
    syllables: tuple[Phonemes, ...] = ()
    cut: Cut | None = None
    rule: Literal["mark", "lexicon", "verbatim"] | None = None

    @property
    def end(self) -> int:
        return self.start + len(self.written)

    @property
    def plain(self) -> bool:
        """Whether the part is ordinary text, which is read as it is written."""
        return self.cut is None and self.rule is None

    def piece(self, start: int, end: int) -> Part:
        """Returns the characters `start` to `end` of this part of plain text."""
        written = self.written[start - self.start : end - self.start]
        return Part(start, written, written)


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text whose marks have been taken out.

    `text` is the input of the reading rules, with placeholders. `plain` is the written text, and `places` has
    the place of each of its characters in the original text. `given` are the parts with a given reading.
    `sounds` and `cuts` are the syllables and cuts in order. `placeholders` are three characters: for a
    syllable, for a syllable of a word without Hanzi, and for a cut.
    """

    text: Placed
    plain: str
    places: Sequence[int]
    given: tuple[Part, ...] = ()
    sounds: tuple[Sound, ...] = ()
    cuts: tuple[Cut, ...] = ()
    placeholders: tuple[str, str, str] = ("", "", "")

    def stretches(self, normalized: Placed) -> Iterator[tuple[Cut, Placed]]:
        """Splits `normalized`, the result of the reading rules for `text`, at the cuts, where the voice, mood
        or speed changes or a pause stands. Yields each stretch with the cut before it; the first stretch has
        an empty cut. The others lose punctuation at their start. Raises TextError if the rules lost
        a mark."""
        said = normalized.text
        parts = said.split(self.placeholders[2]) if self.cuts else [said]
        n_sounds = sum(map(said.count, self.placeholders[:2])) if self.sounds else 0
        if (len(parts) - 1, n_sounds) != (len(self.cuts), len(self.sounds)):
            why = "A mark stands where it is not read: [[...]] may not be in markup."
            raise TextError("malformed_pronunciation", why)
        start = 0
        for cut, part in zip((Cut(), *self.cuts), parts, strict=True):
            end = start + len(part)
            first = end - len(part.lstrip(PUNCTUATION + " ")) if start else start
            yield cut, normalized[first:end]
            start = end + 1

    def put_back(
        self, segment: Placed, sounds: Iterator[Sound], read: Callable[[str], str]
    ) -> tuple[Placed, str]:
        """Puts marked words back into `segment`, a part of the result of the reading rules. Returns the
        segment as text and as the tokenizer takes it. Each placeholder is replaced by the next syllable of a
        marked word that the iterator `sounds` yields. `read` converts the text between the placeholders for
        the tokenizer."""
        words, spoken, done = list[Edit](), "", 0
        for found in re.finditer(f"[{''.join(self.placeholders[:2])}]", segment.text):
            tokens, word = next(sounds)
            words.append(Edit(*found.span(), word))
            between = segment.text[done : found.start()]
            spoken, done = spoken + (read(between) if between else "") + tokens, found.end()
        rest = segment.text[done:]
        return segment.edited(words), spoken + (read(rest) if rest else "")


def take_out_marks(text: str, parts: Sequence[Part]) -> MarkedText:
    """Returns `text` without its marks, and everything that is needed to put them back. `parts` are all the
    parts of `text` in order, both plain text and marks."""
    placeholders = ("", "", "")
    if any(part.rule or part.cut for part in parts):
        others = _unused(_OTHERS, text, 2)
        placeholders = (_unused(_HANZI, text, 1)[0], others[0], others[1])
    for_rules, places = list[Placed](), list[int]()
    given, sounds, cuts = list[Part](), list[Sound](), list[Cut]()
    plain = ""
    for part in parts:
        start = len(plain)
        if part.cut is not None:
            cuts.append(part.cut)
            for_rules.append(Placed.standing_for(f"\n{placeholders[2]}\n", start, start))
            if not part.cut.block_s:  # the text has a line end of its own after a block
                plain += "\n"
                places.append(part.start)
            continue
        plain += part.written
        places += range(part.start, part.start + len(part.written))
        if part.syllables:
            tokens = ("".join(f"<|{name}|>" for name in syllable) for syllable in part.syllables)
            sounds += zip(tokens, chain([part.written], repeat("")), strict=False)
            row = placeholders[not has_hanzi(part.written)] * len(part.syllables)
            for_rules.append(Placed.standing_for(row, start, len(plain), part.rule))
        elif part.said == part.written:
            for_rules.append(Placed.written(part.written, start))
        else:
            for_rules.append(Placed.standing_for(part.said, start, len(plain)))
        if part.rule is not None:
            given.append(part)
    marked = tuple(given), tuple(sounds), tuple(cuts)
    return MarkedText(Placed.join(for_rules), plain, places, *marked, placeholders)


def parts_of(text: str, inventory: Collection[str]) -> Iterator[Part]:
    """Yields the parts of `text`, which are plain text and marks. `inventory` has the names of the model's
    phonemes. Raises TextError, which names the mark and its place, for an invalid mark and for pauses of more
    than MOST_PAUSES_S (300) seconds together."""
    done, pauses_s, voice = 0, 0.0, ""
    for mark in _MARK.finditer(text):
        if mark["command"] is None and mark["word"] is None:
            continue
        try:
            part = _cut(mark, voice) if mark["command"] else _word(mark, inventory)
            if part.cut:
                voice = voice if part.cut.voice is None else part.cut.voice
                pauses_s += part.cut.pause_s
            if round(pauses_s, 6) > MOST_PAUSES_S:
                raise ValueError(f"the pauses of a text may last {MOST_PAUSES_S} seconds together")
        except ValueError as error:
            why = f"The mark {quote(mark[0])} at character {mark.start()} cannot be read: {error}."
            raise TextError("malformed_pronunciation", why) from None
        yield Part(done, text[done : mark.start()], text[done : mark.start()])
        yield part
        done = mark.end()
    yield Part(done, text[done:], text[done:])


def overlaid(parts: Iterable[Part], others: Iterable[Part]) -> Iterator[Part]:
    """Yields `parts`, in whose plain text each of the `others`, which are in order, is a part of its own. If
    a mark or the end of a block cuts one of them in pieces, the piece at its start has the spoken text and
    the others are silent."""
    left = iter(others)
    other = next(left, None)
    for part in parts:
        if not part.plain:
            yield part
            continue
        done, end = part.start, part.end
        while other is not None and (other.start < end or other.start == other.end == end):
            first, last = max(other.start, done), min(max(other.end, done), end)
            yield part.piece(done, first)
            piece = part.piece(first, last)
            yield replace(
                other, start=first, written=piece.written, said=other.said if first == other.start else ""
            )
            done = last
            if other.end > end:
                break
            other = next(left, None)
        yield part.piece(done, end)


def voices_in(text: str, voice: str = "") -> list[str]:
    """Returns the voices that the marks of `text` ask for, in order. `voice` speaks before the first mark. A
    name includes the mood, as `in_mood` writes it; an empty name is the request's own voice."""
    voices = []
    for mark in _MARK.finditer(text):
        if mark["command"] in ("voice", "mood"):
            voice = _voice_after(mark, voice)
            voices.append(voice)
    return voices


def lasting_marks(text: str, voice: str = "") -> dict[str, str]:
    """Returns the voice and the speed that hold at the end of `text` because of its marks, under the keys
    "voice" and "speed". The speed is a string, as in the mark. A key is missing if no mark sets it. `voice`
    speaks before the text; an empty voice is the request's."""
    speeds = [_value(mark) for mark in _MARK.finditer(text) if mark["command"] == "speed"]
    lasting = {"speed": speeds[-1:], "voice": voices_in(text, voice)[-1:]}
    return {name: values[0] for name, values in lasting.items() if values}


def before_mark(text: str, at: int) -> int:
    """Returns the place `at` of `text`, or the start of the mark if `at` lies inside a mark."""
    begin = max(0, at - MOST_MARK_CHARS - len("[["))
    marks = _MARK.finditer(text, begin)
    mark = next((mark for mark in marks if mark.end() > at), None)
    return min(at, mark.start()) if mark else at


def without_marks(text: str) -> str:
    """Returns `text` as a person reads it: a marked word stays, and all other parts of marks go."""
    return _MARK.sub(_by_eye, text)


def _by_eye(mark: re.Match[str]) -> str:
    return mark["word"].strip() if mark["word"] else "" if mark["command"] else mark[0]


def _word(mark: re.Match[str], inventory: Collection[str]) -> Part:
    """Returns the part of a mark around a word. Raises ValueError."""
    written, reading = mark["word"].strip(), mark["reading"].strip()
    if not any(char.isalnum() for char in written):
        raise ValueError("there is no word before the |")
    start = mark.start("word") + mark["word"].index(written)
    if not has_hanzi(written) and _RESPELLED.fullmatch(reading):
        return Part(start, written, reading, rule="mark")
    return Part(start, written, syllables=tuple(phoneme_names(reading, inventory)), rule="mark")


def _cut(mark: re.Match[str], voice: str) -> Part:
    """Returns the part of a mark that is a command, before which `voice` speaks. Raises ValueError."""
    command, value = mark["command"], _value(mark)
    if command in ("voice", "mood"):
        return Part(mark.start(), cut=Cut(voice=_voice_after(mark, voice)))
    least, most, unit = _BOUNDS[command]
    if not _NUMBER.fullmatch(value) or not least <= float(value) <= most:
        raise ValueError(
            f"{command} takes a number from {least:g} to {most:g} ({unit}), as in [[{command} 0.8]]"
        )
    cut = Cut(pause_s=float(value)) if command == "pause" else Cut(speed=float(value))
    return Part(mark.start(), cut=cut)


def _voice_after(mark: re.Match[str], voice: str) -> str:
    """Returns the name of the voice that speaks after a mark of a voice or mood, and `voice` before it."""
    return _value(mark) if mark["command"] == "voice" else in_mood(voice, _value(mark))


def _value(mark: re.Match[str]) -> str:
    return (mark["value"] or "").strip()


def _unused(chars: Sequence[str], text: str, n: int) -> tuple[str, ...]:
    """Returns the first `n` of `chars` that are not in `text`. If there are fewer than `n`, the last of
    `chars` are added, although `text` has them."""
    unused = [char for char in chars if char not in text]
    return tuple([*unused, *chars[-n:]][:n])
