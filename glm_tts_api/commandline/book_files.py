"""Writes the audio of a book into its folder, with subtitles: a file for each chapter, or one file for the
whole book. Blocking."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from glm_tts_api.commandline.api import say_aside
from glm_tts_api.commandline.files import write_file
from glm_tts_api.commandline.progress import print_above
from glm_tts_api.durable import temporary_of
from glm_tts_api.longform.audio import write_audio, write_chapter
from glm_tts_api.longform.folder import JobFolder, Made
from glm_tts_api.longform.job import Job, Unit
from glm_tts_api.longform.loudness import ACX, LEVEL
from glm_tts_api.longform.subtitles import subtitle_file
from glm_tts_api.longform.timeline import timed_texts
from glm_tts_api.recognition import verdicts

_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
_MOST_BYTES = 120  # the most bytes of a title in a file name


@dataclass(frozen=True, slots=True, eq=False)
class BookFiles:
    """Writes the files of the book that `job` has spoken into the folder `path`. `folder` is the folder of
    the job, `made` is the job's progress, and `units` are all units of the job. With `for_acx` the chapters
    are MP3s that ACX accepts."""

    path: Path
    folder: JobFolder
    job: Job
    made: Made
    units: list[Unit]
    for_acx: bool

    def write_chapter(self, number: int) -> Path:
        """Writes chapter `number` (from 0) as MP3, and its subtitles. Returns the path of the MP3."""
        chapter = self.job.chapters[number]
        n_digits = max(2, len(str(len(self.job.chapters))))
        name = _file_name(f"{number + 1:0{n_digits}d} {chapter.title or self.job.title}")
        preset = ACX if self.for_acx else LEVEL
        units = self.units[chapter.first : chapter.first + chapter.n_units]
        self._write_subtitles(name, units, from_s=preset.before_s)
        new = temporary_of(path := self.path / f"{name}.mp3")
        job, made = self.job, self.made
        return _put(path, new, write_chapter(new, self.folder, job, made, number, preset, is_marked=True))

    def write_m4b(self) -> Path:
        """Writes the whole book as one M4B with chapters, and its subtitles. Returns the path of the M4B."""
        name = _file_name(self.job.title)
        self._write_subtitles(name, self.units)
        new = temporary_of(path := self.path / f"{name}.m4b")
        job, made = self.job, self.made
        return _put(path, new, write_audio(new, "m4b", self.folder, job, made, job.n_units, is_marked=True))

    def write_verdicts(self) -> None:
        """Writes the recogniser's verdicts to verified.json, and prints their counts on stderr."""
        told = verdicts.told(self.folder.verdicts())
        path = self.path / "verified.json"
        write_file(path, json.dumps(told, ensure_ascii=False, indent=2).encode() + b"\n")
        counts = ", ".join(f"{n} {verdict}" for verdict, n in told["count"].items())
        say_aside(f"VERIFIED: {counts} ({path} has the texts).")

    def _write_subtitles(self, name: str, units: list[Unit], *, from_s: float = 0.0) -> None:
        texts = timed_texts(units, self.made, self.job.sample_rate, from_s=from_s)
        write_file(self.path / f"{name}.srt", subtitle_file(texts, "srt").encode())


class Writing:
    """A context manager that writes the chapters one after another in one background thread, each once it is
    spoken. It writes nothing until `begin` is called; call `look` after each unit. On exit it waits until the
    chapters are written and raises the first error. If the `with` block raised an error, chapters that are
    not begun are dropped, and errors of chapters are not raised."""

    def __init__(self, files: BookFiles) -> None:
        self._files = files
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="chapters")
        self._written: dict[int, Future[None]] = {}
        self._firsts: list[int] = []

    def __enter__(self) -> Self:
        return self

    def begin(self) -> None:
        """Has the thread write the chapters that are spoken already. From now on `look` has each further
        chapter written once it is spoken."""
        self._firsts = [chapter.first for chapter in self._files.job.chapters]
        for number in range(len(self._firsts)):
            self._write_if_spoken(number)

    def look(self, unit: Unit) -> None:
        """Has the thread write the chapter of `unit`, which was just spoken, if all of the chapter is spoken
        now. Does nothing before `begin`."""
        if self._firsts:
            self._write_if_spoken(bisect_right(self._firsts, unit.index) - 1)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._thread.shutdown(cancel_futures=kind is not None)
        if kind is None:
            for future in self._written.values():
                future.result()

    def _write_if_spoken(self, number: int) -> None:
        chapter = self._files.job.chapters[number]
        if self._files.made.n_in(chapter.first, chapter.n_units) == chapter.n_units:
            self._written[number] = self._thread.submit(self._write, number)

    def _write(self, number: int) -> None:
        print_above(str(self._files.write_chapter(number)))


def _put(path: Path, new: Path, written: Iterable[None]) -> Path:
    """Runs `written`, which writes the file `new`, and then moves that file to `path`. Returns `path`. After
    an error `new` is removed."""
    try:
        for _ in written:
            pass
        return new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise


def _file_name(title: str) -> str:
    """Returns the title as a file name of at most 120 bytes that every file system accepts; "book" if nothing
    of the title is left."""
    flat = " ".join(_NOT_IN_NAMES.sub(" ", title).split()).strip(". ")
    return flat.encode()[:_MOST_BYTES].decode(errors="ignore").strip() or "book"
