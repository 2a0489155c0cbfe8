"""Changes the API's own voices on disk: one writer at a time, and a kill at any moment does no harm.

A recording is on the disk before the file that names it; that file is replaced in one step; recordings that
this store wrote and no entry names any more are removed afterwards. So a reader finds the state before or the
state after, never one between. A note of what is changing lets the next writer clear up after one that was
killed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from json import dumps
from pathlib import Path
from typing import Any, TypeVar

from glm_tts_api.audio.containers import container_of
from glm_tts_api.durable import locked, replace_file, temporary_of
from glm_tts_api.errors import StorageFull, Unhealthy
from glm_tts_api.voices.index import parse_entries

logger = logging.getLogger(__name__)
_RECORDINGS = "recordings"
_DIGITS = 16
_WRITTEN = re.compile(rf"[A-Za-z0-9_-]{{1,64}}-([0-9a-f]{{{_DIGITS}}})\.[a-z0-9]+")
Entries = dict[str, Any]
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """The number of voices that the API keeps, and the bytes of their recordings."""

    n_voices: int = 1024
    n_bytes: int = 2**30


class VoiceWriter:
    """The folder that the API writes: the index at `index`, the recordings beside it.

    `limits` bound what is added; nothing that is there goes because of them.
    `in_use`: the recordings that these entries or any other index mean, however they spell it.
    """

    def __init__(
        self,
        folder: Path,
        index: Path,
        *,
        limits: StoreLimits,
        in_use: Callable[[Entries], Iterable[Path]],
    ) -> None:
        self._folder = folder
        self._recordings = folder / _RECORDINGS
        self._note = folder / ".changing"
        self._index = index
        self._limits = limits
        self._in_use = in_use

    def change(self, edit: Callable[[Entries], ResultT]) -> ResultT:
        """Lets `edit` change the entries, puts them in place, and returns the result of `edit`; no other
        writer comes between. An error of `edit` leaves all as it was.

        Raises Unhealthy if the folder cannot be written, or if the index is not readable JSON: the index is
        kept for repair.
        """
        with _told_what_to_do(), locked(self._folder / ".lock"):
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
        self, entries: Entries, index: str, transcript: str, data: bytes, consent: str
    ) -> dict[str, str]:
        """Stores a recording, from within `change` with these entries, and returns the entry that names it.
        Raises StorageFull."""
        container = container_of(data)
        extension = container.extension if container else "audio"
        stem = index if index.isascii() else f"voice-{_short_digest(index.encode())}"
        name = f"{stem}-{_short_digest(data)}.{extension}"
        self._recordings.mkdir(exist_ok=True)
        self._require_room(entries, index, len(data))
        self._note_down([name])
        replace_file(self._recordings / name, data)
        path = f"{_RECORDINGS}/{name}"
        return {"prompt_audio_path": path, "prompt_text": transcript, "consent": consent}

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
        """Before a recording is written or loses its entry: what of it is there then may have to go."""
        with self._note.open("a") as note:
            note.writelines(f"{name}\n" for name in names)

    def _clear_up(self, entries: Entries) -> None:
        """Removes what was noted, by this writer or by any that was killed, is as this store wrote it and in
        use no more. The change is made already, so what cannot be removed stays."""
        try:
            named = {*map(_name_of, entries.values())}
            used = {_identity(path) for path in self._in_use(entries)}
            for name in self._noted():
                path = self._recordings / name
                temporary_of(path).unlink(missing_ok=True)
                if name not in named and _is_as_written(path) and _identity(path) not in used:
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
    """The file that an entry of ours names; empty for what was written by hand in another way."""
    path = item.get("prompt_audio_path") if isinstance(item, dict) else None
    return path.removeprefix(f"{_RECORDINGS}/") if isinstance(path, str) else ""


def _is_as_written(path: Path) -> bool:
    """Whether the file's content is the one that its name tells. A recording that was edited since is left
    alone."""
    match = _WRITTEN.fullmatch(path.name)
    try:
        return match is not None and not path.is_symlink() and _short_digest(path.read_bytes()) == match[1]
    except OSError:
        return False


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino)


def _short_digest(data: bytes) -> str:
    return sha256(data).hexdigest()[:_DIGITS]


@contextmanager
def _told_what_to_do() -> Iterator[None]:
    """Raises Unhealthy in place of what the file system says, without a path."""
    try:
        yield
    except OSError as error:
        raise Unhealthy(
            f"Voices cannot be changed: PROMPTS_DIR cannot be written ({error.strerror or error}). Make it a "
            "folder with room that the server's user may write, or set PROMPTS_DIR to another one."
        ) from error
