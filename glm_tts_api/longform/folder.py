"""A job's folder, in which a kill at any moment leaves nothing half-written:

job.json   the Job, replaced whole; a folder without it was never finished and is no job
text.json  the Draft, until its plan is made and the job says how many units it has
plan.jsonl its units, a line each, in their order; never changed once the job has units
audio      a FLAC for each unit that was spoken; its name says how many samples it has, and how many of
           silence come after them: 000012-340800-19200.flac
voices     the recordings that it is spoken with (longform/voices.py)
outputs    files made of the audio for download (longform/outputs.py)
lock       held by the process that runs the job; the kernel frees it when that dies
wanted     asks the holder of the lock to let go of it, for a change

Blocking. Knows no server.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from glm_tts_api.audio.encode import encode
from glm_tts_api.durable import replace_file, temporary_of
from glm_tts_api.errors import JobRuns, NothingToSay, StorageFull
from glm_tts_api.longform.job import Job, PlannedChapter, Spoken, Unit
from glm_tts_api.longform.loudness import quiet_tail
from glm_tts_api.longform.plan import plan
from glm_tts_api.longform.script import Book
from glm_tts_api.text.cut.block_pauses import Pauses

_AUDIO_NAME = re.compile(r"(\d{6,})-(\d+)-(\d+)\.flac")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_UNSPOKEN = -1


class Draft(Struct, frozen=True):
    """A book whose units nobody has counted yet, and how they are to be: as `plan` takes it."""

    book: Book
    seed: int
    pauses: Pauses


class StoppedError(Exception):
    """The work was told to stop."""


class Made:
    """How far a job is: of each unit the samples of its speech and of the silence behind it. `n_bytes`: of
    its text, its recordings and its speech on the disk."""

    def __init__(self, n_units: int) -> None:
        self.speech = array("q", [_UNSPOKEN]) * n_units
        self.silence = array("q", [0]) * n_units
        self.n_units = 0
        self.n_samples = 0
        self.n_bytes = 0

    def has(self, index: int) -> bool:
        return self.speech[index] != _UNSPOKEN

    def add(self, index: int, speech: int, silence: int, n_bytes: int) -> None:
        self.n_units += not self.has(index)
        self.n_samples += speech + silence
        self.n_bytes += n_bytes
        self.speech[index], self.silence[index] = speech, silence

    def n_in(self, first: int, n_units: int) -> int:
        """How many of these units are there."""
        return n_units - self.speech[first : first + n_units].count(_UNSPOKEN)

    def prefix(self) -> int:
        """How many units from the first on are there without a gap."""
        try:
            return self.speech.index(_UNSPOKEN)
        except ValueError:
            return len(self.speech)


class JobFolder:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.voices, self.outputs = path / "voices", path / "outputs"
        self._audio, self._draft = path / "audio", path / "text.json"

    def create(self, job: Job, book: Book, units: Iterable[Unit]) -> Job:
        """Writes the plan, then the job with the units and chapters that it came to. Raises StorageFull and
        OSError."""
        job = self.write_plan(job, book, units)
        with room_needed():
            self.write(job)
        return job

    def put_off(self, job: Job, draft: Draft) -> None:
        """Writes the text and the job, whose units are counted later. Raises StorageFull and OSError."""
        with room_needed():
            self._audio.mkdir(parents=True, exist_ok=True)
            replace_file(self._draft, msgspec.json.encode(draft))
            self.write(job)

    def plan(self, is_stopped: Callable[[], bool]) -> None:
        """Gives a job that was put off its units. Raises StoppedError, NothingToSay, StorageFull, OSError,
        and msgspec.DecodeError where somebody edited it."""
        draft = msgspec.json.decode(self._draft.read_bytes(), type=Draft)

        def units() -> Iterator[Unit]:
            for unit in plan(draft.book, seed=draft.seed, pauses=draft.pauses):
                if is_stopped():
                    raise StoppedError
                yield unit

        job = self.write_plan(self.read(), draft.book, units())
        if not job.n_units:
            raise NothingToSay("The text has nothing to say: no letter, no digit and no Hanzi.", "input_text")
        with room_needed():
            self.write(job)
        self._draft.unlink(missing_ok=True)

    def write_plan(self, job: Job, book: Book, units: Iterable[Unit]) -> Job:
        """The job with the units and chapters of the plan, which has yet to be written. Raises StorageFull
        and OSError."""
        counts: Counter[int] = Counter()
        with room_needed():
            self._audio.mkdir(parents=True, exist_ok=True)
            with (self.path / "plan.jsonl").open("wb") as plan:
                for unit in units:
                    counts[unit.chapter] += 1
                    plan.write(msgspec.json.encode(unit) + b"\n")
                plan.flush()
                os.fsync(plan.fileno())
        return msgspec.structs.replace(job, n_units=counts.total(), chapters=tuple(_chapters(book, counts)))

    @property
    def is_job(self) -> bool:
        return (self.path / "job.json").is_file()

    def read(self) -> Job:
        """Raises OSError, and msgspec.DecodeError where somebody edited it."""
        return msgspec.json.decode((self.path / "job.json").read_bytes(), type=Job)

    def write(self, job: Job) -> None:
        replace_file(self.path / "job.json", msgspec.json.encode(job))

    @property
    def changed_at(self) -> float:
        """When the job last changed its state; seconds since 1970."""
        return (self.path / "job.json").stat().st_mtime

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Only one may run, change or delete a job. Raises JobRuns at once where another does."""
        with (self.path / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise JobRuns("Another server or program works on this job now; try again soon.") from None
            yield

    def want(self) -> None:
        (self.path / "wanted").touch()

    def take_wish(self) -> bool:
        """Whether somebody wants the lock; this is said once."""
        try:
            (self.path / "wanted").unlink()
        except FileNotFoundError:
            return False
        return True

    def units(self, *, without: Made | None = None) -> Iterator[Unit]:
        """One after the other, for a plan can be long; `without` those that are made."""
        decoder = msgspec.json.Decoder(Unit)
        with (self.path / "plan.jsonl").open("rb") as plan:
            for index, line in enumerate(plan):
                if without is None or not without.has(index):
                    yield decoder.decode(line)

    def made(self, n_units: int) -> Made:
        """The progress, read from the folder's audio."""
        made = Made(n_units)
        asked = (*self.path.glob("plan.jsonl"), *self.path.glob(self._draft.name), *self.voices.glob("*"))
        made.n_bytes = sum(file.stat().st_size for file in asked)
        with os.scandir(self._audio) as entries:
            for entry in entries:
                if name := _AUDIO_NAME.fullmatch(entry.name):
                    index, speech, silence = map(int, name.groups())
                    made.add(index, speech, silence, entry.stat().st_size)
        return made

    def keep(self, unit: Unit, spoken: Spoken) -> tuple[int, int, int]:
        """Puts the audio of a unit on the disk in one step: the samples of its speech and of the silence
        behind it, and its bytes. The quiet that the speech ends with is part of its pause. Raises StorageFull
        and OSError."""
        pause = round(unit.pause_s * spoken.sample_rate)
        silence = max(0, pause - quiet_tail(spoken.pcm, spoken.sample_rate))
        data = encode(spoken.pcm, "flac", spoken.sample_rate) if len(spoken.pcm) else b""
        with room_needed():
            replace_file(self.audio_file(unit.index, len(spoken.pcm), silence), data)
        return len(spoken.pcm), silence, len(data)

    def audio_file(self, index: int, speech: int, silence: int) -> Path:
        return self._audio / f"{index:06d}-{speech}-{silence}.flac"

    def sweep(self) -> None:
        """Removes what a kill left half-written. To be called with the lock."""
        for left in self._audio.glob(temporary_of(Path("*")).name):
            left.unlink(missing_ok=True)

    def delete(self) -> None:
        """First job.json: a folder that is half-deleted is no job. A file that is being made of the job may
        stay; Shelf.remove_old removes it."""
        (self.path / "job.json").unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)


def _chapters(book: Book, counts: Counter[int]) -> Iterator[PlannedChapter]:
    """Those that have something to say."""
    first = 0
    for number, chapter in enumerate(book.chapters):
        if counts[number]:
            yield PlannedChapter(chapter.title, first, counts[number])
            first += counts[number]


@contextmanager
def room_needed() -> Iterator[None]:
    """Raises StorageFull where the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise StorageFull(
            "The disk of the job's folder is full: make room, then let the job go on."
        ) from None
