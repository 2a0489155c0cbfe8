"""The files that are made of a job's audio: one for each format, kept in the job's folder until the job has
more audio. Each is made once, however many ask for it. Knows asyncio; knows no HTTP."""

from __future__ import annotations

import asyncio
import os
import string
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from glm_tts_api.longform.audio import BookFormat, write_audio, write_chapter
from glm_tts_api.longform.folder import JobFolder, Made
from glm_tts_api.longform.job import Job
from glm_tts_api.longform.loudness import ACX, LEVEL, at_loudness

_N_THREADS = 2
_NICENESS = 10  # behind the engines, which share the cores


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """A file of the first `n_units` units: at `path` once `made` is done, until then as far as it is at
    `growing`. `etag` names its bytes."""

    path: Path
    growing: Path
    etag: str
    made: asyncio.Future[None]


class Outputs:
    """`is_marked`: whether the files say that they are synthetic."""

    def __init__(self, *, is_marked: bool) -> None:
        self._is_marked = is_marked
        self._threads = ThreadPoolExecutor(_N_THREADS, thread_name_prefix="book", initializer=_stand_back)
        self._making: dict[Path, Output] = {}
        self._closed = threading.Event()

    def of(
        self,
        folder: JobFolder,
        job: Job,
        made: Made,
        book_format: BookFormat,
        *,
        lufs: float | None = None,
        chapter: int | None = None,
    ) -> Output:
        """The job's audio up to the first missing unit, as a file that is there or is being made, with a
        loudness of `lufs` if given. Or the MP3 of a whole `chapter`, as ACX takes it."""
        n_units = made.prefix()
        kind = f".{book_format}" if lufs is None else f"at{lufs:g}.{book_format}"
        path = folder.outputs / (f"{n_units}{kind}" if chapter is None else f"acx-{chapter + 1}.mp3")
        if (output := self._making.get(path)) is not None:
            return output
        loop = asyncio.get_running_loop()
        growing = path.with_name(f"{path.name}.{os.getpid()}.new")
        if path.exists():
            done: asyncio.Future[None] = loop.create_future()
            done.set_result(None)
            return Output(path, growing, _etag(job, path), done)
        if chapter is None:
            preset, marked = LEVEL if lufs is None else at_loudness(lufs), self._is_marked
            written = write_audio(
                growing, book_format, folder, job, made, n_units, preset=preset, is_marked=marked
            )
        else:
            written = write_chapter(growing, folder, job, made, chapter, ACX, is_marked=self._is_marked)
        making = loop.run_in_executor(self._threads, self._make, path, growing, written)
        self._making[path] = output = Output(path, growing, _etag(job, path), making)
        making.add_done_callback(lambda _: self._making.pop(path, None))
        return output

    def close(self) -> None:
        """Ends what is being made after the piece that it is at."""
        self._closed.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _make(self, path: Path, growing: Path, written: Iterator[None]) -> None:
        path.parent.mkdir(exist_ok=True)
        try:
            for _ in written:
                if self._closed.is_set():
                    raise asyncio.CancelledError
            for older in path.parent.iterdir():
                if _without_number(older) == _without_number(path):
                    older.unlink(missing_ok=True)
            growing.replace(path)
        except BaseException:
            with suppress(OSError):
                growing.unlink(missing_ok=True)
            raise


def _without_number(path: Path) -> str:
    """The kind of a file, without its number of units."""
    return path.name.lstrip(string.digits)


def _etag(job: Job, path: Path) -> str:
    return f"{job.id}-{path.name}"


def _stand_back() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
