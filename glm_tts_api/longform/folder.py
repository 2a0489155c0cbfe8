"""The folder of a job (the server's work on one book). A kill at any moment leaves no file half-written:

job.json   the Job, replaced as a whole; a folder without this file is no job, since its creation was cut off
text.json  the Draft; removed once the units are planned and the job has their number
plan.jsonl the units of the job, one a line, in their order; never changed once job.json has their number
audio      a FLAC for each unit that was spoken. Its name has the unit's number, its samples of speech and
           the samples of silence that come after them: 000012-340800-19200.flac
verified.jsonl  a UnitVerdict a line for each unit that a recogniser heard; the last line of a unit counts
voices     the recordings that the job is spoken with, so that it goes on in them whatever becomes of the
           registered voices
outputs    files made of the audio for download (longform/outputs.py)
lock       locked by the process that runs the job; the kernel frees the lock when that process dies
wanted     asks the process that holds the lock to release it, so that another can change the job

The functions are blocking calls, and raise OSError. This module knows no server.
"""

from __future__ import annotations

import errno
import fcntl
import io
import os
import re
import shutil
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from itertools import groupby
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct

from glm_tts_api.audio.encode import encode
from glm_tts_api.audio.mastering import quiet_tail
from glm_tts_api.contracts import Recording, Verified, Voice
from glm_tts_api.durable import replace_file, temporary_of, told_what_to_do
from glm_tts_api.errors import JobRuns, NothingToSay
from glm_tts_api.longform.job import Job, PlannedChapter, Spoken, Unit, plan
from glm_tts_api.longform.script import Book
from speech_text import Pauses

_AUDIO_NAME = re.compile(r"(\d{6,9})-(\d{1,18})-(\d{1,18})\.flac")  # each number fits into 64 bits
_FULL = (
    "The disk of the job's folder is full: make room (DELETE of a job works), then try again. A paused job "
    "goes on at resume."
)
_UNWRITABLE = "The job's folder cannot be written ({}): let this user write it, then try again."
# Turns an OSError in a `with` block into an error that tells the user what to do. OSErrors with other causes,
# such as that of a deleted job, pass unchanged.
on_disk = partial(told_what_to_do, _FULL, _UNWRITABLE, (errno.EROFS, errno.EACCES, errno.EPERM))
_UNSPOKEN = -1


class Draft(Struct, frozen=True):
    """A book that is not cut into units yet, with the seed and the pauses that the function `plan` needs to
    cut it."""

    book: Book
    seed: int
    pauses: Pauses


class UnitVerdict(Struct, frozen=True):
    """The recogniser's verdict `verified` on the speech of unit number `unit`."""

    unit: int
    verified: Verified


class _KeptVoice(Struct, frozen=True):
    name: str
    file: str
    registered: str | None
    transcript: str
    digest: str
    sample_rate: int


class Made:
    """The progress of a job. `speech` and `silence` have for each unit the number of samples of its speech
    and of the silence after it; a unit that is not spoken yet has -1 in `speech`. `n_units` and `n_samples`
    are the totals of the spoken units. `n_bytes` is the size on the disk of the job's text, recordings and
    speech."""

    def __init__(self, n_units: int) -> None:
        self.speech = array("q", [_UNSPOKEN]) * n_units
        self.silence = array("q", [0]) * n_units
        self.n_units = self.n_samples = self.n_bytes = 0

    def add(self, index: int, speech: int, silence: int, n_bytes: int) -> None:
        self.n_units += self.speech[index] == _UNSPOKEN
        self.n_samples += speech + silence
        self.n_bytes += n_bytes
        self.speech[index], self.silence[index] = speech, silence

    def n_in(self, units: range) -> int:
        """Returns how many of the `units` are spoken."""
        return len(units) - self.speech[units.start : units.stop].count(_UNSPOKEN)

    def prefix(self) -> int:
        """Returns how many units come before the first unit that is not spoken yet."""
        return self.speech.index(_UNSPOKEN) if _UNSPOKEN in self.speech else len(self.speech)


class JobFolder:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.outputs = path / "outputs"
        self._audio, self._draft, self._voices = path / "audio", path / "text.json", path / "voices"
        self._job, self._plan = path / "job.json", path / "plan.jsonl"
        self._verdicts = path / "verified.jsonl"

    @property
    def is_job(self) -> bool:
        return self._job.is_file()

    def read(self) -> Job:
        """Reads job.json. Raises msgspec.DecodeError for a file that was edited by hand."""
        return msgspec.json.decode(self._job.read_bytes(), type=Job)

    def write(self, job: Job) -> None:
        replace_file(self._job, msgspec.json.encode(job))

    @property
    def changed_at(self) -> float:
        """The time of the last write of job.json, in seconds since 1970."""
        return self._job.stat().st_mtime

    def set_changed_at(self, at: float) -> None:
        os.utime(self._job, (at, at))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the job's lock inside the `with` block. Only the holder may run, change or delete the job.
        Raises JobRuns at once if another process or task holds the lock."""
        with (self.path / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise JobRuns("Another server or program works on this job now; try again soon.") from None
            yield

    def want(self) -> None:
        (self.path / "wanted").touch()

    def take_wish(self) -> bool:
        """Returns whether somebody has asked for the job's lock by `want`, and removes the request."""
        is_wanted = (self.path / "wanted").exists()
        (self.path / "wanted").unlink(missing_ok=True)
        return is_wanted

    def put_off(self, job: Job, draft: Draft) -> None:
        """Writes a new job whose text is cut into units later, by `plan`: the text as `draft`, and the
        `job`."""
        replace_file(self._draft, msgspec.json.encode(draft))
        self.write(job)

    def plan(self, is_stopped: Callable[[], bool]) -> None:
        """Cuts the draft that `put_off` wrote into units and writes them as the job's plan. Then writes the
        number of units and the chapters to job.json, and removes the draft. `is_stopped` is called before
        each unit. Raises InterruptedError if `is_stopped` returns true, NothingToSay for a text without
        units, and msgspec.DecodeError for a draft that was edited by hand."""
        draft = msgspec.json.decode(self._draft.read_bytes(), type=Draft)

        def units() -> Iterator[Unit]:
            for unit in plan(draft.book, seed=draft.seed, pauses=draft.pauses):
                if is_stopped():
                    raise InterruptedError
                yield unit

        job = self.write_plan(self.read(), draft.book, units())
        if not job.n_units:
            raise NothingToSay("The text has nothing to say: no letter, no digit and no Hanzi.", "input_text")
        self.write(job)
        self._draft.unlink(missing_ok=True)

    def write_plan(self, job: Job, book: Book, units: Iterable[Unit]) -> Job:
        """Writes `units` to plan.jsonl. Returns `job` with the number of units and with the chapters of
        `book` that have units, but does not write job.json."""
        chapters, n_units = list[PlannedChapter](), 0
        self._audio.mkdir(exist_ok=True)
        with self._plan.open("wb") as file:
            for number, of_chapter in groupby(units, key=lambda unit: unit.chapter):
                first = n_units
                for unit in of_chapter:
                    n_units += 1
                    file.write(msgspec.json.encode(unit) + b"\n")
                chapters.append(PlannedChapter(book.chapters[number].title, first, n_units - first))
            file.flush()
            os.fsync(file.fileno())
        return msgspec.structs.replace(job, n_units=n_units, chapters=tuple(chapters))

    def units(self, *, without: Made | None = None) -> Iterator[Unit]:
        """Yields the units of the plan in order, and reads one at a time since a plan can be long. `without`
        is the job's progress: units that it has are skipped."""
        decoder = msgspec.json.Decoder(Unit)
        with self._plan.open("rb") as file:
            for index, line in enumerate(file):
                if without is None or without.speech[index] == _UNSPOKEN:
                    yield decoder.decode(line)

    def keep_voices(self, voices: Mapping[str, Voice]) -> None:
        """Writes the recordings and transcripts of `voices`. The keys are the names that units and marks use;
        the book's main voice has the name BOOK."""
        kept = []
        self._voices.mkdir(exist_ok=True)
        for number, (name, voice) in enumerate(voices.items()):
            recording, file = voice.recording, f"{number}.npy"
            data = io.BytesIO()  # np.save on a file would not raise an error on a full disk
            np.save(data, recording.samples)
            (self._voices / file).write_bytes(data.getbuffer())
            kept.append(
                _KeptVoice(name, file, voice.name, voice.transcript, voice.digest, recording.sample_rate)
            )
        (self._voices / "voices.json").write_bytes(msgspec.json.encode(kept))

    def voices(self) -> dict[str, Voice]:
        """Reads the voices that `keep_voices` wrote, by the same names. Raises msgspec.MsgspecError."""
        kept = msgspec.json.decode((self._voices / "voices.json").read_bytes(), type=list[_KeptVoice])
        return {
            one.name: Voice(
                Recording(np.load(self._voices / one.file), one.sample_rate),
                one.transcript,
                one.digest,
                one.registered,
            )
            for one in kept
        }

    def made(self, n_units: int) -> Made:
        """Reads the progress of a job with `n_units` units from the names and sizes of the files in the
        folder. Audio files with other numbers are ignored."""
        made = Made(n_units)
        asked = (self._plan, self._draft, *self._voices.glob("*"))
        made.n_bytes = sum(file.stat().st_size for file in asked if file.exists())
        with suppress(FileNotFoundError), os.scandir(self._audio) as entries:
            for entry in entries:
                if name := _AUDIO_NAME.fullmatch(entry.name):
                    index, speech, silence = map(int, name.groups())
                    if index < n_units:
                        made.add(index, speech, silence, entry.stat().st_size)
        return made

    def n_output_bytes(self) -> int:
        """Returns the size on the disk of the files for download."""
        with suppress(FileNotFoundError), os.scandir(self.outputs) as entries:
            return sum(entry.stat().st_size for entry in entries)
        return 0

    def keep(self, unit: Unit, spoken: Spoken) -> tuple[int, int, int]:
        """Writes the verdict of a unit, if it has one, and then its audio file in one step. The silence after
        the speech is the unit's pause minus the quiet at the end of the speech, and at least 0. Returns the
        number of samples of speech, the number of samples of silence, and the bytes of audio written; the
        caller adds them to the progress."""
        pause = round(unit.pause_s * spoken.sample_rate)
        silence = max(0, pause - quiet_tail(spoken.pcm, spoken.sample_rate))
        data = encode(spoken.pcm, "flac", spoken.sample_rate) if len(spoken.pcm) else b""
        if spoken.verified is not None:
            with self._verdicts.open("ab") as file:
                file.write(msgspec.json.encode(UnitVerdict(unit.index, spoken.verified)) + b"\n")
        replace_file(self.audio_file(unit.index, len(spoken.pcm), silence), data)
        return len(spoken.pcm), silence, len(data)

    def verdicts(self) -> dict[int, Verified]:
        """Returns the recogniser's verdict on each unit that was heard, by the unit's number. Raises
        msgspec.DecodeError where somebody edited the file."""
        if not self._verdicts.exists():
            return {}
        lines = self._verdicts.read_bytes().splitlines()
        found = (msgspec.json.decode(line, type=UnitVerdict) for line in lines)
        return {each.unit: each.verified for each in found}

    def audio_file(self, index: int, speech: int, silence: int) -> Path:
        return self._audio / f"{index:06d}-{speech}-{silence}.flac"

    def sweep(self) -> None:
        """Removes audio files that were half-written when a process was killed. Makes the folder of the audio
        files if it is missing. The caller holds the job's lock."""
        self._audio.mkdir(exist_ok=True)
        for left in self._audio.glob(temporary_of(Path("*")).name):
            left.unlink(missing_ok=True)

    def delete(self) -> None:
        """Deletes the folder, job.json first, since a half-deleted folder without that file is no job. A file
        for download that is being made meanwhile can stay; Shelf.remove_old removes it later. Raises OSError
        only if job.json cannot be deleted."""
        self._job.unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)
