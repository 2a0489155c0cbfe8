"""The data types of a job, which is the server's work of speaking one book, as they lie on disk. Knows no
files, no audio and no server."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta, Struct

from glm_tts_api.contracts import Float32, JobState, Verified
from glm_tts_api.longform.script import BlockKind

RESTING: tuple[JobState, ...] = ("paused", "done", "failed", "cancelled")
_SEED_BYTES = 8


class Unit(Struct, frozen=True):
    """A piece of a book that is spoken by one request: a `text` of about one segment (the text that the model
    speaks at once), number `index` of the job.

    `chapter` is the number of the unit's chapter, and `block` the number of its block (paragraph, heading,
    ...) in the chapter. `voice` is the name of the unit's voice; None is the voice of the book. `seed` is the
    unit's own random seed. `pause_s` is the silence after the unit.
    """

    index: int
    chapter: int
    block: int
    kind: BlockKind
    text: str
    voice: str | None
    seed: int
    pause_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """The speech of a unit: mono float32 samples `pcm` [n] in [-1, 1], without the pause after the unit.
    `verified` is the worst of the recogniser's verdicts on the unit; None if no recogniser heard it."""

    pcm: Float32
    sample_rate: int
    verified: Verified | None = None


Speak = Callable[[Unit], Awaitable[Spoken]]
"""A function that speaks one unit and gives the same samples each time. Raises ServiceError."""


class UnitVerdict(Struct, frozen=True):
    """The recogniser's verdict `verified` on the speech of unit number `unit`."""

    unit: int
    verified: Verified


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
    JobsConfig.keep_s decides.
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
    options: dict[str, Any] = {}


def seed_of(seed: int, index: int) -> int:
    """Returns the seed of unit number `index` of a job with the seed `seed`: a number from 0 to 2**63 - 1,
    different for each unit."""
    digest = hashlib.blake2b(f"{seed}/{index}".encode(), digest_size=_SEED_BYTES).digest()
    return int.from_bytes(digest, "big") >> 1
