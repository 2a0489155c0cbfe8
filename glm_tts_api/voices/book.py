"""Reads one prompt_cache.json, again whenever it changes. Never writes."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glm_tts_api.errors import quote

logger = logging.getLogger(__name__)
INDEX_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,64}")
INDEX_RULE = "1 to 64 of A-Z, a-z, 0-9, _ and -"
_FOLDERS_ABOVE = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """One voice: where its recording lies, and what is said in it."""

    audio: Path
    transcript: str


class VoiceBook:
    """The voices that a file names. `folders`: where their recordings may lie."""

    def __init__(self, path: Path, *, folders: tuple[Path, ...]) -> None:
        self.path = path
        self.entries: dict[str, Entry] = {}
        self.warnings: list[str] = []
        self._folders = folders
        self._signature: tuple[int, int, int] | None = None

    def refresh(self) -> None:
        """Reads the file if it is not the one read before, or if something was amiss with it.

        A file that cannot be read as it should leaves the last good voices in place, and a warning.
        """
        signature = _signature(self.path)
        if signature == self._signature and not self.warnings:
            return
        self._signature = signature
        known = self.warnings
        self.warnings = []
        self._read()
        for warning in self.warnings:
            if warning not in known:
                logger.warning(warning)

    def _read(self) -> None:
        try:
            raw = read_entries(self.path)
        except ValueError as error:
            self.warnings = [f"{self.path.name} in {self.path.parent.name}/ is left as it is: {error}"]
            return
        self.entries = {name: entry for name, item in raw.items() if (entry := self._entry(name, item))}

    def locate(self, path: str) -> Path | None:
        """The file that `path` means, relative to the book's folder or to one just above it; None if there is
        none or if it lies outside the prompt folders, also by way of `..` or a symbolic link."""
        base = self.path.parent.absolute()
        for folder in (base, *base.parents[:_FOLDERS_ABOVE]):
            try:
                candidate = (folder / path).resolve()
                if candidate.is_file() and any(
                    candidate.is_relative_to(allowed) for allowed in self._folders
                ):
                    return candidate
            except (OSError, ValueError):  # a name too long, a NUL in it
                return None
        return None

    def _entry(self, name: str, item: Any) -> Entry | None:
        """The entry if it is as it should be, else None and a warning."""
        problem = _shape_problem(name, item)
        audio = None if problem else self.locate(item["prompt_audio_path"])
        if audio is None:
            reason = problem or "its recording is not in the prompt folders"
            self.warnings.append(f"voice '{quote(name)}' of {self.path.parent.name}/ is left out: {reason}")
            return None
        return Entry(audio, item["prompt_text"])


def read_entries(path: Path) -> dict[str, Any]:
    """The file's entries as they stand; an absent file has none. Raises ValueError if it is damaged."""
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"it cannot be read ({type(error).__name__})") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON (line {error.lineno}: {error.msg})") from None
    if not isinstance(data, dict):
        raise ValueError("it is not a JSON object of voices")
    return data


def _shape_problem(name: str, item: Any) -> str | None:
    if not INDEX_PATTERN.fullmatch(name):
        return f"its name must be {INDEX_RULE}"
    if not isinstance(item, dict):
        return "it must have prompt_audio_path and prompt_text"
    for key in ("prompt_audio_path", "prompt_text"):
        if not isinstance(item.get(key), str) or not item[key].strip():
            return f"{key} must be text"
    return None


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino)
