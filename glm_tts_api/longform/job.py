"""The data types of a job, which is the server's work of speaking one book, as they lie on disk; and `plan`,
which cuts the book into the units of the job. Knows no files, no audio and no server."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from glm_tts_api.contracts import Float32, JobState, Verified
from glm_tts_api.longform.script import BlockKind, Book, Cue
from speech_text import Pauses, utterances
from speech_text.marks import MOOD_SIGN, lasting_marks, voices_in, without_marks

RESTING: tuple[JobState, ...] = ("paused", "done", "failed", "cancelled")
BOOK = ""  # the name of the book's main voice, which speaks unless a unit or a mark names another
NO_MARKS: Final[Mapping[str, str]] = MappingProxyType({})


class Unit(Struct, frozen=True, omit_defaults=True):
    """A piece of a book that is spoken by one request: a `text` of about one segment (the text that the model
    speaks at once), number `index` of the job.

    `chapter` is the number of the unit's chapter, and `block` the number of its block (paragraph, heading,
    ...) in the chapter. `voice` is the name of the unit's voice; None is the voice of the book. `seed` is the
    unit's own random seed. `pause_s` is the silence after the unit. `cue` is the unit's
    subtitle.
    """

    index: int
    chapter: int
    block: int
    kind: BlockKind
    text: str
    voice: str | None
    seed: int
    pause_s: float
    cue: Cue | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """The speech of a unit: mono float32 samples `pcm` [n] in [-1, 1], without the pause after the unit.
    `verified` is the worst of the recogniser's verdicts on the unit; None if no recogniser heard it."""

    pcm: Float32
    sample_rate: int
    verified: Verified | None = None


Speak = Callable[[Unit], Awaitable[Spoken]]
"""A function that speaks one unit and gives the same samples each time. Raises ServiceError."""


class PlannedChapter(Struct, frozen=True):
    """A chapter of a job: the units from number `first` on, `n_units` in all."""

    title: str
    first: int
    n_units: int

    @property
    def units(self) -> range:
        return range(self.first, self.first + self.n_units)


class Job(Struct, frozen=True):
    """The content of job.json. `options` says how the units are spoken, in a form that only the program that
    made the job reads. `owner` is the server's name for the client that may see the job. Times are in seconds
    since 1970.

    `n_units` is 0 until the units are planned. `state` is never `running` on disk: a job is running while a
    process holds its folder's lock. `message` says why a job is paused or failed, and what to do about it.
    `expires_at` is the time at which the job is deleted unless it is resumed before; 0 means that only
    JobsConfig.keep_s decides. With `is_timed` the audio has the speech of each subtitle at its time.
    """

    id: str
    state: JobState
    created_at: float
    n_units: Annotated[int, Meta(ge=0)]
    chapters: tuple[PlannedChapter, ...]
    sample_rate: Annotated[int, Meta(gt=0)]
    title: str = ""
    author: str = ""
    message: str = ""
    owner: str = ""
    expires_at: float = 0.0
    is_timed: bool = False
    options: dict[str, Any] = {}


def seed_of(seed: int, index: int) -> int:
    """Returns the seed of unit number `index` of a job with the seed `seed`: a number from 0 to 2**63 - 1,
    different for each unit."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{index}".encode(), digest_size=8).digest(), "big") >> 1


def plan(
    book: Book, *, seed: int, pauses: Pauses, index: int = 0, marks: Mapping[str, str] = NO_MARKS
) -> Iterator[Unit]:
    """Yields the units of `book` in order; the first has the number `index`. A block is cut between its
    sentences; a block without a letter or digit gives no unit. `seed` is the job's seed, and `pauses` are the
    silences after blocks and sentences. The same arguments give the same units.

    A mark in the text that sets the voice or the speed holds until the next such mark, as in a request.
    `marks` are the marks that hold at the start, from name to value, as `lasting_marks` returns them. A block
    with a voice of its own is not changed by a voice mark in an earlier block. A mark for the mood of such a
    block's voice holds to the end of the block.
    """
    marks = dict(marks)
    for number, chapter in enumerate(book.chapters):
        backwards = reversed(range(len(chapter.blocks)))
        last = next((place for place in backwards if _is_said(chapter.blocks[place].text)), None)
        for place, block in enumerate(chapter.blocks):
            pause_s = pauses.after(block.kind, ends_chapter=place == last)
            texts = list(filter(_is_said, utterances(block.text)))
            mood = ""  # the voice with the mood that a mark asked for, if the block has a voice of its own
            for at, text in enumerate(texts, start=1):
                now = {**marks, "voice": mood} if block.voice else dict(marks)
                held = "".join(f"[[{name} {value}]]" for name, value in now.items() if value.strip(MOOD_SIGN))
                lasting = lasting_marks(text, now.get("voice", ""))
                mood = lasting.get("voice", mood)
                if block.voice and mood.startswith(MOOD_SIGN):
                    lasting.pop("voice", None)
                else:
                    mood = ""
                marks |= lasting
                silence_s = pause_s if at == len(texts) else pauses.within(without_marks(text))
                unit_seed = seed_of(seed, index)
                said = held + text
                yield Unit(
                    index, number, place, block.kind, said, block.voice, unit_seed, silence_s, block.cue
                )
                index += 1


def _is_said(text: str) -> bool:
    return any(map(str.isalnum, without_marks(text)))


def unit_voices(text: str, own: str | None) -> dict[str, str]:
    """Returns the voices that marks in the text of a unit ask for. A key is the name under which the job
    keeps the voice, and its value is the name that the mark uses. The two differ for a mark such as `:glad`:
    in a unit of the voice `my_voice` the mark means `my_voice:glad`. `own` is the unit's voice; None is the
    book's voice."""
    return {
        f"{(own or BOOK).partition(MOOD_SIGN)[0]}{name}" if name.startswith(MOOD_SIGN) else name: name
        for name in voices_in(text)
        if name.strip(MOOD_SIGN)
    }
