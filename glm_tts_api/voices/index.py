"""Reads one prompt_cache.json (the index of voices), and reads it again whenever it changes. Never writes.
Has the data type of a registered voice."""

from __future__ import annotations

import json
import logging
import threading
import time
from dataclasses import dataclass, replace
from hashlib import sha256
from os import fstat, stat_result
from pathlib import Path
from typing import Any, Literal

from glm_tts_api.errors import InvalidField, RecordingMissing, TextTooLong, quote
from glm_tts_api.voices.about import (
    INDEX_RULE,
    NOTES,
    About,
    check_about,
    check_transcript,
    composed,
    is_name,
)

logger = logging.getLogger(__name__)
_MOST_PATH_CHARS = 4096  # Linux' PATH_MAX
_TICK_NS = 100_000_000  # well above the precision of file times in Linux, which is at most 10 ms
Signature = tuple[int, int, int, int]
Source = Literal["shipped", "own"]


@dataclass(frozen=True, slots=True)
class VoiceInfo:
    """A registered voice, or one of its `moods`: the voice's name, the path of its recording's file (None if
    there is no such file), its transcript, and the notes. `source` says which index names it: "shipped" with
    the server, or the API's "own". `seen` is the path of the recording with its inode, size and times, which
    change with the recording; it is empty before `looked_at`."""

    index: str
    audio: Path | None
    transcript: str
    about: About
    source: Source
    seen: tuple[Any, ...] = ()
    moods: tuple[VoiceInfo, ...] = ()

    @property
    def file(self) -> Path:
        """The path of the recording's file. Raises RecordingMissing if there is none."""
        if self.audio is None:
            raise RecordingMissing(
                f"The recording of voice '{self.index}' is no longer in the prompt folders. "
                f"PUT /api/v1/prompts/{self.index} with prompt_audio gives it a new one."
            )
        return self.audio

    def looked_at(self, moods: tuple[VoiceInfo, ...] = ()) -> VoiceInfo:
        """Returns the voice as the API lists it, with `moods`. Raises RecordingMissing, or FileNotFoundError
        if the recording was removed after the index was read."""
        file = self.file.stat()
        seen = (self.file, file.st_ino, file.st_size, file.st_mtime_ns, file.st_ctime_ns)
        return replace(self, seen=seen, moods=moods)

    @property
    def created_at(self) -> int:
        """The time of the last write to the voice's recording, in seconds since 1970."""
        return int(self.seen[3] // 10**9)

    @property
    def version(self) -> str:
        """A digest that changes when the voice's recording, transcript or notes change. Its moods have
        versions of their own."""
        about = sorted(self.about.items())
        return sha256(repr((self.source, self.transcript, about, self.seen)).encode()).hexdigest()[:32]


class VoiceIndex:
    """The voices that the index file `path` names. While that file does not exist, the voices of the file
    `default` are taken, or no voices if `default` is None. `folders` are the only folders in which recordings
    may lie. A transcript has at most `max_characters` characters. `source` is that of the entries."""

    def __init__(
        self,
        path: Path,
        *,
        folders: tuple[Path, ...],
        max_characters: int,
        default: Path | None = None,
        source: Source = "shipped",
    ) -> None:
        self._path, self._default, self._source = path, default, source
        self._max_characters = max_characters
        self._entries: dict[str, VoiceInfo] = {}
        self.warnings: list[str] = []
        self._folders = folders
        self._reading = threading.Lock()
        self._signature: Signature | None = None

    def current(self, *, again: bool = False) -> dict[str, VoiceInfo]:
        """Returns the voices by their names. Reads the file if it may have changed since the last read, if
        the last read gave warnings, or if `again` is true. If the file cannot be read as an index, the voices
        of the last good read stay, and `warnings` says why. Any thread may call."""
        with self._reading:
            if again or self.warnings or not self._is_as_before():
                self._refresh()
            return self._entries

    def _is_as_before(self) -> bool:
        try:
            seen = signature_of(self.path.stat())
            return seen is not None and seen == self._signature
        except FileNotFoundError:
            return not self._entries  # a missing index has no voices
        except OSError:
            return False

    def _refresh(self) -> None:
        known = self.warnings
        try:
            self._read()
        except ValueError as error:
            self.warnings = [f"{self.path.name} in {self.path.parent.name}/ is left as it is: {error}"]
        for warning in self.warnings:
            if warning not in known:
                logger.warning(warning)

    @property
    def path(self) -> Path:
        return self._path if self._default is None or self._path.exists() else self._default

    def locate(self, path: str) -> Path | None:
        """Returns the file at `path`, which is absolute, or relative to the index's folder, a prompt folder,
        or any parent folder of these. Returns None if there is no such file, or if it lies outside the prompt
        folders after `..` and symbolic links are resolved."""
        if len(path) > _MOST_PATH_CHARS:  # resolving would look at each part of the path
            return None
        starts = (self.path.parent.absolute(), *self._folders)
        for folder in (folder for start in starts for folder in (start, *start.parents)):
            try:
                candidate = (folder / path).resolve()
                if candidate.is_file() and any(
                    candidate.is_relative_to(allowed) for allowed in self._folders
                ):
                    return candidate
            except (OSError, ValueError):  # the name is too long or has a NUL
                return None
        return None

    def entry_of(self, name: str, item: Any) -> VoiceInfo:
        """Returns the voice that `item` describes, the JSON value under `name` in an index file. Raises
        ValueError if the form of `item` or a text in it is not allowed."""
        if problem := shape_problem(name, item):
            raise ValueError(problem)
        try:
            check_transcript(item["prompt_text"], self._max_characters)
            about = check_about({note: item[note] for note in NOTES if item.get(note)})
        except (InvalidField, TextTooLong) as error:
            raise ValueError(str(error)) from None
        return VoiceInfo(
            name, self.locate(item["prompt_audio_path"]), item["prompt_text"], about, self._source
        )

    def _read(self) -> None:
        """Reads the index and looks for its recordings. A writer replaces the index first and then removes
        old recordings, so a missing recording may mean that the index is out of date. In that case the method
        reads again until the file it read is still the current one. A missing index has no voices. Raises
        ValueError for an index that cannot be read."""
        while True:
            try:
                with self.path.open("rb") as file:
                    status = fstat(file.fileno())
                    raw = parse_entries(file.read())
                    self._take(raw)
                    self._signature = signature_of(status)
                    if not self.warnings or self.path.stat().st_ino == status.st_ino:
                        return
            except FileNotFoundError:
                self._entries, self.warnings, self._signature = {}, [], None
                return
            except OSError as error:
                raise ValueError(f"it cannot be read ({type(error).__name__})") from None

    def _take(self, raw: dict[str, Any]) -> None:
        entries, warnings = dict[str, VoiceInfo](), list[str]()
        for name, item in raw.items():
            problem = ""
            try:
                entries[name] = entry = self.entry_of(name, item)
                if entry.audio is None:
                    problem = "its recording is not in the prompt folders"
            except ValueError as error:
                problem = str(error)
            if problem:
                warnings.append(f"voice '{quote(name)}' of {self.path.parent.name}/ is left out: {problem}")
        self._entries, self.warnings = entries, warnings


def parse_entries(data: bytes) -> dict[str, Any]:
    """Returns the JSON object in an index file, with its names in Unicode's composed form and its values
    unchecked. Raises ValueError if `data` is no JSON object."""
    try:
        entries = json.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"it cannot be read ({type(error).__name__})") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON (line {error.lineno}: {error.msg})") from None
    if not isinstance(entries, dict):
        raise ValueError("it is not a JSON object of voices")
    return {composed(name): item for name, item in entries.items()}


def signature_of(status: stat_result) -> Signature | None:
    """Returns a value that changes whenever the file's content changes: its inode, size and times. Returns
    None if the file was written so recently that its next change could have the same times."""
    if time.time_ns() - status.st_ctime_ns < _TICK_NS:
        return None
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def shape_problem(name: str, item: Any) -> str | None:
    """Returns a phrase that says what is wrong with the form of an index entry; None if its form is right."""
    if not is_name(name):
        return f"its name must be {INDEX_RULE}"
    if not isinstance(item, dict):
        return "it must have prompt_audio_path and prompt_text"
    for key in ("prompt_audio_path", "prompt_text"):
        if not _is_text(item.get(key)) or not item[key].strip():
            return f"{key} must be text"
    return next((f"{note} must be text" for note in NOTES if not _is_text(item.get(note, ""))), None)


def _is_text(value: Any) -> bool:
    """Returns whether `value` is a string without lone surrogates. JSON's escapes allow lone surrogates, but
    no answer can be encoded with them."""
    return isinstance(value, str) and value.encode(errors="ignore").decode() == value
