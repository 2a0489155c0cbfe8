"""What a book becomes in its folder: a file for each chapter or one for all, with subtitles. Blocking."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, Self

from glm_tts_api.audio.mark import MARK
from glm_tts_api.commandline.files import write_file
from glm_tts_api.commandline.progress import print_above
from glm_tts_api.durable import temporary_of
from glm_tts_api.longform.audio import pcm_of, write_tagged
from glm_tts_api.longform.folder import JobFolder, Made
from glm_tts_api.longform.job import Job, Unit
from glm_tts_api.longform.loudness import ACX, ACX_KBITS, LEVEL, mastered
from glm_tts_api.longform.subtitles import cues, srt
from glm_tts_api.longform.timeline import ChapterTime, chapter_times, timed_texts

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
        job = self.job
        chapter = job.chapters[number]
        title = chapter.title or job.title
        n_digits = max(2, len(str(len(job.chapters))))
        tags = {
            "title": title,
            "album": job.title,
            "artist": job.author,
            "track": f"{number + 1}/{len(job.chapters)}",
        }
        name = _file_name(f"{number + 1:0{n_digits}d} {title}")
        return self._write(name, "mp3", self.units[chapter.first : chapter.first + chapter.n_units], tags)

    def write_m4b(self) -> Path:
        """The whole book."""
        job = self.job
        tags = {"title": job.title, "artist": job.author}
        chapters = chapter_times(job, self.made, job.n_units)
        return self._write(_file_name(job.title), "m4b", self.units, tags, chapters)

    def _write(
        self,
        name: str,
        book_format: Literal["m4b", "mp3"],
        units: list[Unit],
        tags: dict[str, str],
        chapters: Sequence[ChapterTime] = (),
    ) -> Path:
        """The audio is there once it is whole."""
        preset = ACX if self.for_acx else LEVEL
        rate = self.job.sample_rate
        shown = cues(timed_texts(units, self.made, rate, from_s=preset.before_s))
        write_file(self.path / f"{name}.srt", srt(shown).encode())
        path = self.path / f"{name}.{book_format}"
        new = temporary_of(path)
        numbers = range(units[0].index, units[-1].index + 1)
        pcm = mastered(partial(pcm_of, self.folder, self.made, numbers, rate), rate, preset)
        kbits = ACX_KBITS if self.for_acx else None
        try:
            for _ in write_tagged(
                new,
                book_format,
                pcm,
                preset.heard_rate(rate),
                tags={"comment": MARK, **tags},
                chapters=chapters,
                kbits=kbits,
            ):
                pass
            return new.replace(path)
        except BaseException:
            with suppress(OSError):
                new.unlink(missing_ok=True)
            raise


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
        """From now on chapters are written; those that are there already at once."""
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


def _file_name(title: str) -> str:
    """What every file system takes."""
    flat = " ".join(_NOT_IN_NAMES.sub(" ", title).split()).strip(". ")
    return flat.encode()[:_MOST_BYTES].decode(errors="ignore").strip() or "book"
