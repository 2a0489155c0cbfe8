"""The files for download that are made of a job's audio: one for each format, kept in the job's folder until
the job has more audio. Of the files with a loudness that a client asked for, the newest two are kept. A file
is made once, however many clients ask for it. Uses asyncio; knows no HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import os
import string
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from glm_tts_api.audio.mastering import ACX, LEVEL, at_loudness
from glm_tts_api.longform.audio import BookFormat, write_audio
from glm_tts_api.longform.dubbing import write_report
from glm_tts_api.longform.folder import on_disk
from glm_tts_api.longform.shelf import Look

_N_THREADS = 2
_MOST_LEVELED = 2  # files of a loudness or of a speaker: without a bound, a client could fill the disk
_LU = 0.5  # the steps of such a loudness
_NICENESS = 10  # a lower priority than that of the engines, which share the cores


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """A file for download with the audio of a job. While the file is made, its finished part is at `growing`.
    Once the future `made` is done without an error, the file is at `path`. `etag` is different for different
    bytes."""

    path: Path
    growing: Path
    etag: str
    made: asyncio.Future[None]


class Outputs:
    """Makes the files for download of a server's jobs, and knows which are being made."""

    def __init__(self) -> None:
        def stand_back() -> None:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)

        self._threads = ThreadPoolExecutor(_N_THREADS, thread_name_prefix="book", initializer=stand_back)
        self._making: dict[Path, Output] = {}
        self._closed = threading.Event()

    def of(
        self,
        look: Look,
        book_format: BookFormat,
        *,
        lufs: float | None = None,
        chapter: int | None = None,
        for_acx: bool = False,
        speaker: str | None = None,
    ) -> Output:
        """Returns a file for download, and begins to make it unless it exists or is being made. The file has
        the job's audio up to the first missing unit as `book_format`, with an integrated loudness of `lufs`
        if given, rounded to 0.5 LU. If `chapter` (from 1) is given, the file is an MP3 of that chapter, with
        `for_acx` within ACX's limits; `lufs` must be None, and all units of the chapter must be spoken. With
        `speaker`, the file has the speech of this speaker of a timed job, and `lufs` must be None."""
        n_units = look.made.prefix()
        name, preset = f"{n_units}.{book_format}", LEVEL
        if lufs is not None:
            lufs = _LU * round(lufs / _LU)
            name, preset = f"{n_units}at{lufs:g}.{book_format}", at_loudness(lufs)
        if chapter is not None:
            name, preset = (f"acx-{chapter}.mp3", ACX) if for_acx else (f"chapter-{chapter}.mp3", LEVEL)
        if speaker is not None:
            name = f"{n_units}at-{hashlib.blake2b(speaker.encode(), digest_size=8).hexdigest()}.{book_format}"

        def write(growing: Path) -> Iterator[None]:
            return write_audio(
                growing, book_format, look, n_units, chapter=chapter, preset=preset, speaker=speaker
            )

        return self._file(look, name, write)

    def report(self, look: Look) -> Output:
        """Returns a JSON file that says how each subtitle of a timed job fits, as `of` returns a file."""
        n_units = look.made.prefix()
        return self._file(look, f"{n_units}.cues.json", lambda growing: write_report(growing, look, n_units))

    def _file(self, look: Look, name: str, write: Callable[[Path], Iterator[None]]) -> Output:
        path = look.folder.outputs / name
        if (output := self._making.get(path)) is not None:
            return output
        loop = asyncio.get_running_loop()
        growing, etag = path.with_name(f"{name}.{os.getpid()}.new"), f"{look.job.id}-{name}"
        if path.exists():
            done: asyncio.Future[None] = loop.create_future()
            done.set_result(None)
            return Output(path, growing, etag, done)
        making = loop.run_in_executor(self._threads, self._make, path, growing, write(growing))
        self._making[path] = output = Output(path, growing, etag, making)
        making.add_done_callback(lambda _: self._making.pop(path, None))
        return output

    def close(self) -> None:
        """Stops the making of all files. A file that is being made stops after its next piece of audio."""
        self._closed.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _make(self, path: Path, growing: Path, written: Iterator[None]) -> None:
        """Runs `written`, which writes the file `growing` piece by piece, then removes the job's older files
        of the same kind and moves `growing` to `path`. Of the files with a loudness or a speaker, the newest
        two stay. Raises StorageFull, Unhealthy, OSError, and CancelledError after `close`; after an error
        `growing` is removed."""
        try:
            with on_disk():
                path.parent.mkdir(exist_ok=True)
                for _ in written:
                    if self._closed.is_set():
                        raise asyncio.CancelledError
                for older in path.parent.iterdir():  # of the same kind: their number of units alone differs
                    if older.name.lstrip(string.digits) == path.name.lstrip(string.digits):
                        older.unlink(missing_ok=True)
                growing.replace(path)
                leveled = [file for file in path.parent.glob("*at-*") if file.suffix != growing.suffix]
                with suppress(FileNotFoundError):  # another thread has removed one of them
                    for older in sorted(leveled, key=lambda file: file.stat().st_mtime)[:-_MOST_LEVELED]:
                        older.unlink()
        except BaseException:
            with suppress(OSError):
                growing.unlink(missing_ok=True)
            raise
