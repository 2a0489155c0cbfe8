"""A job: a book that is being spoken, as it lies on disk. Knows no files, no audio and no server."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from glm_tts_api.contracts import Float32, JobState
from glm_tts_api.longform.script import BlockKind

RESTING: tuple[JobState, ...] = ("paused", "done", "failed", "cancelled")
_SEED_BYTES = 8


class Unit(Struct, frozen=True):
    """The text of one request: a `text` of about one segment, number `index` of the job.

    `block`: its number in the chapter. `voice`: None is the voice of the book. `pause_s`: the silence behind
    it.
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
    """The speech of a unit: mono float32 `pcm` [n] in [-1, 1], without the pause behind it."""

    pcm: Float32
    sample_rate: int


Speak = Callable[[Unit], Awaitable[Spoken]]
"""Speaks one unit, the same to the bit each time. Raises ServiceError."""


class PlannedChapter(Struct, frozen=True):
    """`first`: the index of its first unit, of which it has `n_units`."""

    title: str
    first: int
    n_units: int


class Job(Struct, frozen=True):
    """The content of job.json. `options`: how the units are spoken, in the words of the program that made the
    job; `owner`: the client that may see it, in the words of the server; times in seconds since 1970.

    `n_units` is 0 until they are counted. On disk, `state` is never running: the process that holds the
    folder's lock runs the job. `message` says why a job is paused or failed, and what to do. `expires_at`:
    when the job is deleted unless somebody has resumed it; 0: like all others.
    """

    id: str
    state: JobState
    created_at: float
    n_units: int
    chapters: tuple[PlannedChapter, ...]
    sample_rate: int
    title: str = ""
    author: str = ""
    message: str = ""
    owner: str = ""
    expires_at: float = 0.0
    options: dict[str, Any] = {}


def seed_of(seed: int, index: int) -> int:
    """The seed of a unit: another for each, 0 to 2**63 - 1."""
    digest = hashlib.blake2b(f"{seed}/{index}".encode(), digest_size=_SEED_BYTES).digest()
    return int.from_bytes(digest, "big") >> 1
