"""Changes the voices that were added over the API, on the disk. One writer works at a time, and a kill at any
moment does no harm.

A new recording is written before the index that names it. The index is replaced in one step. Recordings that
this store wrote and no entry names any more are removed afterwards. So a reader finds the state before a
change or the state after it. A note file lists the recordings that are being changed, so that the next writer
can clean up after a writer that was killed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from json import dumps
from pathlib import Path
from typing import Any, TypeVar

from glm_tts_api.audio.containers import container_of
from glm_tts_api.durable import change_file, locked, replace_file, temporary_of, told_what_to_do
from glm_tts_api.errors import StorageFull, Unhealthy
from glm_tts_api.voices.about import About, is_index
from glm_tts_api.voices.index import parse_entries

logger = logging.getLogger(__name__)
_RECORDINGS = "recordings"
_DIGITS = 16
_FULL = "The disk of PROMPTS_DIR is full: make room, or DELETE a voice, then try again."
_UNWRITABLE = (
    "Voices cannot be changed: PROMPTS_DIR cannot be written ({}). Make it a folder that the server's user "
    "may write, or set PROMPTS_DIR to another one."
)
_WRITTEN = re.compile(rf"[A-Za-z0-9_-]{{1,64}}-([0-9a-f]{{{_DIGITS}}})\.[a-z0-9]+")
Entries = dict[str, Any]
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """The most voices that the API keeps, and the most bytes that their recordings take."""

    n_voices: int = 1024
    n_bytes: int = 2**30


class VoiceWriter:
    """Writes the voices that were added over the API: the file `index`, and the recordings in `folder`.

    `limits` bound what is added; existing voices are never removed because of the limits. `in_use` returns
    the paths, without links, of all recordings that the given entries or any other index name.
    """

    def __init__(
        self, folder: Path, index: Path, *, limits: StoreLimits, in_use: Callable[[Entries], Iterable[Path]]
    ) -> None:
        self._folder = folder
        self._recordings = folder / _RECORDINGS
        self._note = folder / ".changing"
        self._index = index
        self._limits = limits
        self._in_use = in_use

    def change(self, edit: Callable[[Entries], ResultT], *, frees: bool = False) -> ResultT:
        """Calls `edit` with the index's entries, which `edit` changes. Then writes the index and returns the
        result of `edit`. A lock keeps other writers out meanwhile. An error of `edit` leaves everything as it
        was. `frees` says that the change needs no more room than before. Such a change works on a full disk
        too, and `edit` is then called a second time.

        Raises StorageFull if the disk is full. Raises Unhealthy if the folder cannot be written or the index
        is no readable JSON; the index is then kept for repair.
        """
        with told_what_to_do(_FULL, _UNWRITABLE), locked(self._folder / ".lock"):
            return change_file(self._index, lambda: self._change(edit), frees=frees)

    def _change(self, edit: Callable[[Entries], ResultT]) -> ResultT:
        before = self._read_index()
        entries = dict(before)
        try:
            result = edit(entries)
            self._note_down({*map(_name_of, before.values())} - {*map(_name_of, entries.values())})
            replace_file(self._index, dumps(entries, ensure_ascii=False, indent=2).encode() + b"\n")
        except BaseException:
            self._clear_up(before)
            raise
        self._clear_up(entries)
        return result

    def keep(
        self, entries: Entries, index: str, transcript: str, data: bytes, about: About
    ) -> dict[str, str]:
        """Writes the recording `data` to the disk and returns the entry that names it. Called by the `edit`
        of `change`; `entries` are the entries that `edit` was given. Raises StorageFull if a limit does not
        allow the recording."""
        container = container_of(data)
        extension = container.extension if container else "audio"
        stem = index if index.isascii() and is_index(index) else f"voice-{_short_digest(index.encode())}"
        name = f"{stem}-{_short_digest(data)}.{extension}"
        self._recordings.mkdir(0o700, exist_ok=True)
        self._require_room(entries, index, len(data))
        self._note_down([name])
        replace_file(self._recordings / name, data)
        path = f"{_RECORDINGS}/{name}"
        return {"prompt_audio_path": path, "prompt_text": transcript, **about}

    def _require_room(self, entries: Entries, index: str, n_bytes: int) -> None:
        most = self._limits
        replaced = _name_of(entries.get(index))
        others = (path for path in self._recordings.iterdir() if path.name != replaced)
        if sum(path.stat().st_size for path in others) + n_bytes > most.n_bytes:
            raise StorageFull(
                f"The recordings would take more than {most.n_bytes / 2**20:g} MB (MAX_VOICES_MB): DELETE a "
                "voice, or set MAX_VOICES_MB higher."
            )
        if index not in entries and len(entries) >= most.n_voices:
            raise StorageFull(
                f"{most.n_voices} voices were added over the API, and no more are kept (a voice for each MB "
                "of MAX_VOICES_MB): DELETE one, or set MAX_VOICES_MB higher."
            )

    def _read_index(self) -> Entries:
        try:
            return parse_entries(self._index.read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise Unhealthy(
                f"Voices cannot be changed: {self._index.name} in PROMPTS_DIR needs repair, {error}."
            ) from None

    def _note_down(self, names: Iterable[str]) -> None:
        """Adds names of recordings to the note file. This is done before a recording is written or loses its
        entry, since its file may have to be removed afterwards."""
        with self._note.open("a") as note:
            note.writelines(f"{name}\n" for name in names)

    def _clear_up(self, entries: Entries) -> None:
        """Removes the recordings listed in the note file, if this store wrote them and neither `entries` nor
        another index names them. Then removes the note file. The recordings may have been noted by this
        writer or by one that was killed. A file that cannot be removed stays, since the change itself is
        done."""
        try:
            named = {*map(_name_of, entries.values())}
            used = set(self._in_use(entries))
            for name in self._noted():
                path = self._recordings / name
                temporary_of(path).unlink(missing_ok=True)
                if name not in named and _is_as_written(path) and path.resolve() not in used:
                    path.unlink()
            self._note.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("A recording that no voice needs could not be removed: %s", error)

    def _noted(self) -> list[str]:
        try:
            names = self._note.read_bytes().decode(errors="replace").splitlines()
        except FileNotFoundError:
            return []
        return [name for name in names if _WRITTEN.fullmatch(name)]


def _name_of(item: Any) -> str:
    """Returns the file name of the recording that an index entry names, without the folder recordings/; empty
    for an entry without one."""
    path = item.get("prompt_audio_path") if isinstance(item, dict) else None
    return path.removeprefix(f"{_RECORDINGS}/") if isinstance(path, str) else ""


def _is_as_written(path: Path) -> bool:
    """Returns whether the content of the file `path` still matches the digest in its name. A recording that
    was edited by hand no longer matches, and is not removed."""
    match = _WRITTEN.fullmatch(path.name)
    try:
        return match is not None and not path.is_symlink() and _short_digest(path.read_bytes()) == match[1]
    except OSError:
        return False


def _short_digest(data: bytes) -> str:
    return sha256(data).hexdigest()[:_DIGITS]
