"""Reads one prompt_cache.json, again whenever it changes. Never writes."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from os import fstat, stat_result
from pathlib import Path
from typing import Any

from glm_tts_api.errors import TextTooLong, quote
from glm_tts_api.voices.names import INDEX_RULE, composed, is_index
from glm_tts_api.voices.transcript import check_consent, check_transcript

logger = logging.getLogger(__name__)
_MOST_PATH_CHARS = 4096  # Linux' PATH_MAX
_TICK_NS = 100_000_000  # Linux stamps files at its clock's tick, at most 10 ms long
Signature = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """One voice: the path of its recording (None: no recording), the words in it, and the consent to its use;
    empty if that is not written down."""

    audio: Path | None
    transcript: str
    consent: str


class VoiceIndex:
    """The voices that a file names, or while it is not there those of `default`. `folders`: where their
    recordings may lie. A transcript has at most `max_characters`."""

    def __init__(
        self, path: Path, *, folders: tuple[Path, ...], max_characters: int, default: Path | None = None
    ) -> None:
        self._path, self._default = path, default
        self._max_characters = max_characters
        self.entries: dict[str, Entry] = {}
        self.warnings: list[str] = []
        self._folders = folders
        self._signature: Signature | None = None

    def refresh(self, *, again: bool) -> None:
        """Reads the file if it may be another than the one read before, if something was amiss with it, or
        `again` in any case.

        A file that cannot be read as it should leaves the last good voices in place, and a warning.
        """
        if not again and not self.warnings and self._is_as_before():
            return
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
        """The file that `path` means, relative to the index's folder, a prompt folder or one above them; None
        if there is none or if it lies outside the prompt folders, also by way of `..` or a symbolic link."""
        if len(path) > _MOST_PATH_CHARS:  # each of its parts would be looked at
            return None
        starts = (self.path.parent.absolute(), *self._folders)
        for folder in (folder for start in starts for folder in (start, *start.parents)):
            try:
                candidate = (folder / path).resolve()
                if candidate.is_file() and any(
                    candidate.is_relative_to(allowed) for allowed in self._folders
                ):
                    return candidate
            except (OSError, ValueError):  # a name too long, a NUL in it
                return None
        return None

    def entry_of(self, name: str, item: Any) -> Entry | None:
        """The entry that `item` of such a file means; None if it is not shaped like one."""
        if self._problem(name, item) is not None:
            return None
        return Entry(self.locate(item["prompt_audio_path"]), item["prompt_text"], item.get("consent", ""))

    def _problem(self, name: str, item: Any) -> str | None:
        if problem := _shape_problem(name, item):
            return problem
        try:
            check_transcript(item["prompt_text"], self._max_characters)
            check_consent(item.get("consent", ""))
        except TextTooLong as error:
            return str(error)
        return None

    def _is_as_before(self) -> bool:
        try:
            return self._signature is not None and signature_of(self.path.stat()) == self._signature
        except OSError:
            return False

    def _read(self) -> None:
        """A recording that is not there may be one that a writer removed after it had replaced this file. It
        is gone only if the file that names it is still the one that was read, told while that is open."""
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
                self.entries, self.warnings, self._signature = {}, [], None
                return
            except OSError as error:
                raise ValueError(f"it cannot be read ({type(error).__name__})") from None

    def _take(self, raw: dict[str, Any]) -> None:
        self.entries, self.warnings = {}, []
        for name, item in raw.items():
            entry = self.entry_of(name, item)
            if entry is not None:
                self.entries[name] = entry
            if entry is None or entry.audio is None:
                reason = self._problem(name, item) or "its recording is not in the prompt folders"
                self.warnings.append(
                    f"voice '{quote(name)}' of {self.path.parent.name}/ is left out: {reason}"
                )


def parse_entries(data: bytes) -> dict[str, Any]:
    """The entries of such a file as they stand. Raises ValueError if it is damaged."""
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
    """A value that changes with a file's content. None if the file is so young that its next change may carry
    the same time."""
    if time.time_ns() - status.st_ctime_ns < _TICK_NS:
        return None
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _shape_problem(name: str, item: Any) -> str | None:
    if not is_index(name):
        return f"its name must be {INDEX_RULE}"
    if not isinstance(item, dict):
        return "it must have prompt_audio_path and prompt_text"
    for key in ("prompt_audio_path", "prompt_text"):
        if not _is_text(item.get(key)) or not item[key].strip():
            return f"{key} must be text"
    return None if _is_text(item.get("consent", "")) else "consent must be text"


def _is_text(value: Any) -> bool:
    """Whether it is a text without lone surrogates, which JSON's escapes allow and no answer can hold."""
    return isinstance(value, str) and value.encode(errors="ignore").decode() == value
