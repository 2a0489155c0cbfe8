"""Makes subtitles (SRT and WebVTT) of text whose times are known. Works on strings and times.

A cue has at most two lines of 42 characters, or of 20 where it has Hanzi, kana or Hangul, and lasts 1 to 7
seconds. (Netflix's Timed Text Style Guide has 42 characters and 7 seconds too, 5/6 of a second at least, and
16 Chinese characters.) A cue never crosses a paragraph and never overlaps another. A cue is shorter than a
second only where neither the silence around it nor a neighbouring cue has time to give.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Literal, NamedTuple

Subtitle = Literal["srt", "vtt"]
MEDIA_TYPES: Final[dict[Subtitle, str]] = {"srt": "application/x-subrip", "vtt": "text/vtt"}
NARROW_LINE, WIDE_LINE = 42, 20  # characters
SHORTEST_MS, LONGEST_MS = 1000, 7000
_SILENCE_S = 1.0  # a pause of this length ends a cue
_WIDE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
_QUOTES, _CLOSING, _OPENING = "\"'", "”’)]）】」』》〉", "“‘([（【「『《〈"
_SENTENCE_MARKS, _CLAUSE_MARKS = "。！？!?…", "，、；：—,;:"
_WIDE_MARKS = "，。、；：？！”’）】」』》〉…—"
_NEVER_FIRST = frozenset(_CLOSING + _SENTENCE_MARKS + _CLAUSE_MARKS + _QUOTES + ".%")
_SHORT_FORM = re.compile(r"\b[A-Z][a-z]{0,2}\.$")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_SENTENCE, _CLAUSE, _WORD, _LEANING = 3, 2, 0, -1  # how good the end of an atom is as a place to cut
_LEANS = re.compile(  # words after which a line should not end
    "an?|the|of|to|in|on|at|by|for|from|with|after|before|and|or|but|nor|if|as|that|which|who|is|are|was|were",
    re.I,
)


@dataclass(frozen=True, slots=True)
class TimedText:
    """A piece of the text as written (a segment, sentence or word), spoken from `start_s` to `end_s`, in
    seconds. Pieces with the same `paragraph` may be shown in one cue."""

    text: str
    start_s: float
    end_s: float
    paragraph: int = 0


@dataclass(slots=True)
class Cue:
    start_ms: int
    end_ms: int
    lines: tuple[str, ...]

    @property
    def above_ms(self) -> int:
        """The time that it lasts above a second."""
        return self.end_ms - self.start_ms - SHORTEST_MS

    def takes(self, spare_ms: int) -> int:
        return max(0, min(-self.above_ms, spare_ms))


def cues(pieces: Iterable[TimedText]) -> list[Cue]:
    """Makes the cues of `pieces`, which are in the order of time. A run of blanks and line ends becomes one
    blank. Between two pieces a blank is added where words would run together; nothing else of the text
    changes."""
    runs = list[list[TimedText]]()  # of pieces that may share a cue
    for piece in (each for each in pieces if each.text.strip()):
        last = runs[-1][-1] if runs else None
        if last and piece.paragraph == last.paragraph and piece.start_s - last.end_s < _SILENCE_S:
            runs[-1].append(piece)
        else:
            runs.append([piece])
    made = [cue for run in runs for cue in _cues_of(run)]
    _lengthen(made)
    return made


def subtitle_file(pieces: Iterable[TimedText], kind: Subtitle) -> str:
    """Returns the subtitles of `pieces` as the text of a SubRip file, or of a WebVTT file (W3C), with &, <
    and > escaped."""
    point, text = (",", "") if kind == "srt" else (".", "WEBVTT\n\n")
    for number, cue in enumerate(cues(pieces), 1):
        lines = "\n".join(cue.lines)
        text += f"{number}\n" if kind == "srt" else ""
        text += f"{_clock(cue.start_ms, point)} --> {_clock(cue.end_ms, point)}\n"
        text += f"{lines if kind == 'srt' else lines.translate(_ESCAPES)}\n\n"
    return text


def _clock(ms: int, point: str) -> str:
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{ms:03}"


class _Atom(NamedTuple):
    """The smallest piece of a cue or line: a word with the blank after it, or a wide letter (Hanzi, kana,
    Hangul) with its marks. `level` says how good a place to cut its end is; higher is better."""

    text: str
    start_s: float
    end_s: float
    level: int
    is_wide: bool


def _cues_of(run: Sequence[TimedText]) -> Iterator[Cue]:
    atoms = _atoms(run)
    start = 0
    while start < len(atoms):
        end = _best_end(atoms, start)
        shown = atoms[start:end]
        start_ms, end_ms = round(1000 * shown[0].start_s), round(1000 * shown[-1].end_s)
        yield Cue(start_ms, min(end_ms, start_ms + LONGEST_MS), _lines(shown))
        start = end


def _best_end(atoms: Sequence[_Atom], start: int) -> int:
    """Returns the index of the atom after the cue that begins at atom `start`. The cue ends after a
    sentence if possible, else after a clause, and as late as possible. Neither the cue nor the rest of the
    atoms should be shorter than a second."""
    furthest = _furthest(atoms, start)
    if furthest == len(atoms):
        return furthest

    def worth(end: int) -> float:
        said_s, left_s = atoms[end - 1].end_s - atoms[start].start_s, atoms[-1].end_s - atoms[end].start_s
        is_short = 1000 * min(said_s, left_s) < SHORTEST_MS
        return atoms[end - 1].level + 1.5 * (end - start) / (furthest - start) - 4 * is_short

    return max(range(start + 1, furthest + 1), key=worth)


def _furthest(atoms: Sequence[_Atom], start: int) -> int:
    """Returns the index of the atom after the longest cue that begins at atom `start`: within two lines and 7
    seconds, but at least one atom long."""
    end = _end_of_lines(atoms, start, NARROW_LINE)
    wide = next((at for at in range(start, end) if atoms[at].is_wide), None)
    if wide is not None:
        end = max(_end_of_lines(atoms, start, WIDE_LINE), wide)
    while end > start + 1 and 1000 * (atoms[end - 1].end_s - atoms[start].start_s) > LONGEST_MS:
        end -= 1
    return end


def _end_of_lines(atoms: Sequence[_Atom], start: int, limit: int) -> int:
    """Returns the index of the first atom that does not fit into two lines of `limit` characters that begin
    at atom `start`."""
    at = start
    for _ in range(2):
        length = 0
        while at < len(atoms) and length + len(atoms[at].text.rstrip()) <= limit:
            length += len(atoms[at].text)
            at += 1
    return at


def _lines(atoms: Sequence[_Atom]) -> tuple[str, ...]:
    """Returns the text of the atoms as one line if it fits, else as two lines of similar length, cut after a
    clause if possible."""
    text = "".join(atom.text for atom in atoms).rstrip()
    limit = WIDE_LINE if _WIDE.search(text) else NARROW_LINE
    if len(text) <= limit:
        return (text,)
    places = list(zip(accumulate(len(atom.text) for atom in atoms), atoms, strict=True))[:-1]
    fitting = [
        (abs(len(text) - 2 * place) - 6 * atom.level, place)
        for place, atom in places
        if len(text[:place].rstrip()) <= limit and len(text) - place <= limit
    ]
    _, place = min(fitting)
    return text[:place].rstrip(), text[place:]


def _atoms(run: Sequence[TimedText]) -> list[_Atom]:
    text, starts, ends = _timed_characters(run)
    atoms, start = [], 0
    for at in range(1, len(text) + 1):
        if at < len(text) and not _may_break(text, at):
            continue
        is_wide = _WIDE.search(text, start, at) is not None
        limit = WIDE_LINE if is_wide else NARROW_LINE
        while len(text[start:at].rstrip()) > limit:  # a word longer than a line is cut
            end = start + limit
            atoms.append(_Atom(text[start:end], starts[start], ends[end - 1], _WORD, is_wide))
            start = end
        atoms.append(_Atom(text[start:at], starts[start], ends[at - 1], _level(text[start:at]), is_wide))
        start = at
    return atoms


def _timed_characters(run: Sequence[TimedText]) -> tuple[str, list[float], list[float]]:
    """Returns the text of a run of pieces, and the times in seconds at which each of its characters begins
    and ends. The time of a piece is divided among its characters by `_time_to_say`."""
    chars, starts, ends = list[str](), list[float](), list[float]()
    for piece in run:
        part = _joint(chars[-1] if chars else " ", piece.text)
        total = sum(map(_time_to_say, part))
        now, s_per_unit = piece.start_s, (piece.end_s - piece.start_s) / total
        for char in part:
            until = min(now + s_per_unit * _time_to_say(char), piece.end_s)
            if not char.isspace() or (chars and chars[-1] != " "):
                chars.append(" " if char.isspace() else char)
                starts.append(now)
                ends.append(until)
            now = until
        ends[-1] = piece.end_s
    return "".join(chars).rstrip(), starts, ends


def _joint(before: str, part: str) -> str:
    """Returns `part`, with a blank in front where it would otherwise run into the word before it. `before` is
    the last character of the text before `part`."""
    needs_blank = (
        part[0].isalnum() and (before.isalnum() or before in _NEVER_FIRST) and before not in _WIDE_MARKS
    )
    return f" {part}" if needs_blank and not _WIDE.match(before) and not _WIDE.match(part) else part


def _time_to_say(char: str) -> float:
    """Returns how long a character takes to say, relative to a letter (1). Hanzi, kana, Hangul and digits
    take 3, since Mandarin has some 4.5 syllables a second and English some 13 letters. Marks of sentences and
    clauses take 2, other signs 0.1 and blanks 0."""
    if _WIDE.match(char) or char.isdigit():
        return 3
    if char in _SENTENCE_MARKS or char in _CLAUSE_MARKS:
        return 2
    return 1 if char.isalpha() else 0.1 * (not char.isspace())


def _may_break(text: str, at: int) -> bool:
    """Returns whether a line may end before the character at index `at` of `text`. A line may end after a
    blank, before or after a wide letter, and after a wide mark, unless a mark would be separated from its
    word."""
    before, after = text[at - 1], text[at]
    if before == " ":
        return True
    if after == " " or after in _NEVER_FIRST or before in _OPENING:
        return False
    if before in _QUOTES:  # an opening quote, unless a mark is before it
        return text[max(at - 2, 0)] in _NEVER_FIRST
    return before in _WIDE_MARKS or _WIDE.match(before) is not None or _WIDE.match(after) is not None


def _level(atom: str) -> int:
    word = atom.rstrip().rstrip(_CLOSING + _QUOTES)
    if word.endswith(tuple(_SENTENCE_MARKS)) or (word.endswith(".") and not _SHORT_FORM.search(word)):
        return _SENTENCE
    if word.endswith(tuple(_CLAUSE_MARKS)):
        return _CLAUSE
    return _LEANING if _LEANS.fullmatch(word) else _WORD


def _lengthen(made: Sequence[Cue]) -> None:
    """Moves the times of cues that overlap, so that each begins after the one before it. Then lengthens the
    cues that last less than a second: first with the silence after and before them, then with time that their
    neighbours have above one second."""
    end_ms = 0
    for cue in made:  # each cue begins after the one before it and lasts at least a millisecond
        cue.start_ms = max(cue.start_ms, end_ms)
        end_ms = cue.end_ms = max(cue.end_ms, cue.start_ms + 1)
    for at, cue in enumerate(made):
        before = made[at - 1] if at else Cue(0, 0, ())
        free_ms = cue.end_ms + SHORTEST_MS
        after = made[at + 1] if at + 1 < len(made) else Cue(free_ms, free_ms, ())
        cue.end_ms += cue.takes(after.start_ms - cue.end_ms)
        cue.start_ms -= cue.takes(cue.start_ms - before.end_ms)
        cue.end_ms += (moved := cue.takes(after.above_ms))
        after.start_ms += moved
        cue.start_ms -= (moved := cue.takes(before.above_ms))
        before.end_ms -= moved
