"""Changes the API's own voices on disk: one writer at a time, and a kill at any moment does no harm.

A recording is on the disk before the file that names it; that file is replaced in one step; what it no longer
names is removed afterwards. So a reader finds the state before or the state after, never one between.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from json import dumps
from pathlib import Path
from typing import Any

from glm_tts_api.audio.containers import container_of
from glm_tts_api.errors import Unhealthy
from glm_tts_api.voices.book import read_entries

_RECORDINGS = "recordings"
_TEMPORARY = ".new"
Entries = dict[str, Any]


class OwnVoices:
    """The folder that the API writes: the book at `book`, the recordings beside it."""

    def __init__(self, folder: Path, book: Path) -> None:
        self._folder = folder
        self._recordings = folder / _RECORDINGS
        self._book = book

    def change(self, edit: Callable[[Entries], None]) -> None:
        """Lets `edit` change the entries, then puts them in place. What `edit` raises leaves all as it was.

        Raises Unhealthy if the book is not readable JSON: it is kept for whoever repairs it.
        """
        self._recordings.mkdir(parents=True, exist_ok=True)
        with self._lock():
            try:
                entries = read_entries(self._book)
            except ValueError as error:
                raise Unhealthy(
                    f"Voices cannot be changed: {self._book.name} in PROMPTS_DIR needs repair, {error}."
                ) from None
            edit(entries)
            _write(self._book, dumps(entries, ensure_ascii=False, indent=2).encode() + b"\n")
            self._sweep(entries)

    def keep(self, index: str, transcript: str, data: bytes) -> dict[str, str]:
        """Stores a recording, from within `change`, and returns the entry that names it."""
        container = container_of(data)
        extension = container.extension if container else "audio"
        name = f"{index}-{hashlib.sha256(data).hexdigest()[:16]}.{extension}"
        _write(self._recordings / name, data)
        return {"prompt_audio_path": f"{_RECORDINGS}/{name}", "prompt_text": transcript}

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Held by one thread of one process; the kernel frees it if its holder dies."""
        with (self._folder / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _sweep(self, entries: Entries) -> None:
        """Removes recordings that no entry names, and what a killed writer left."""
        named = {str(item.get("prompt_audio_path")) for item in entries.values() if isinstance(item, dict)}
        for path in self._recordings.iterdir():
            if f"{_RECORDINGS}/{path.name}" not in named:
                path.unlink(missing_ok=True)
        for path in self._folder.glob(f"*{_TEMPORARY}"):
            path.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    """Puts `data` at `path` in one step, on the disk before it is there."""
    temporary = path.with_name(path.name + _TEMPORARY)
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
