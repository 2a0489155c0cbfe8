"""Writes a book into its folder: a file for each chapter or one for all, with subtitles. Blocking."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from glm_tts_api.commandline.files import write_file
from glm_tts_api.commandline.progress import print_above
from glm_tts_api.durable import temporary_of
from glm_tts_api.longform.audio import write_audio, write_chapter
from glm_tts_api.longform.folder import JobFolder, Made
from glm_tts_api.longform.job import Job, Unit
from glm_tts_api.longform.loudness import ACX, LEVEL
from glm_tts_api.longform.subtitles import subtitle_file
from glm_tts_api.longform.timeline import timed_texts

_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
_MOST_BYTES = 120  # of a title in a name


@dataclass(frozen=True, slots=True, eq=False)
class BookFiles:
    """`path`: the folder that the files go to. `for_acx`: chapters are as ACX takes them."""

    path: Path
    folder: JobFolder
    job: Job
    made: Made
    units: list[Unit]
    for_acx: bool

    def write_chapter(self, number: int) -> Path:
        """Chapter `number`, from 0, as MP3, with its subtitles; returns the former's path."""
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
        """The whole book."""
        name = _file_name(self.job.title)
        self._write_subtitles(name, self.units)
        new = temporary_of(path := self.path / f"{name}.m4b")
        job, made = self.job, self.made
        return _put(path, new, write_audio(new, "m4b", self.folder, job, made, job.n_units, is_marked=True))

    def _write_subtitles(self, name: str, units: list[Unit], *, from_s: float = 0.0) -> None:
        texts = timed_texts(units, self.made, self.job.sample_rate, from_s=from_s)
        write_file(self.path / f"{name}.srt", subtitle_file(texts, "srt").encode())


class Writing:
    """A context in which chapters are written on a thread of their own, each once it is spoken. At its end it
    waits for them, and raises what went wrong; after an error it leaves those that are not begun."""

    def __init__(self, files: BookFiles) -> None:
        self._files = files
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="chapters")
        self._written: dict[int, Future[None]] = {}
        self._firsts: list[int] = []

    def __enter__(self) -> Self:
        return self

    def begin(self) -> None:
        """Starts writing chapters; finished ones are written at once."""
        self._firsts = [chapter.first for chapter in self._files.job.chapters]
        for number in range(len(self._firsts)):
            self._write_if_spoken(number)

    def look(self, unit: Unit) -> None:
        """After `unit` was spoken."""
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
    """Puts the file that is written at `new` to `path` once it is whole."""
    try:
        for _ in written:
            pass
        return new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise


def _file_name(title: str) -> str:
    """The title as a file name that every file system accepts."""
    flat = " ".join(_NOT_IN_NAMES.sub(" ", title).split()).strip(". ")
    return flat.encode()[:_MOST_BYTES].decode(errors="ignore").strip() or "book"
