"""Prompt recordings and their transcripts on disk. Blocking; safe between threads and processes.

Two files of one shape, `{index: {"prompt_audio_path", "prompt_text"}}`: the shipped one is edited by hand and
never written here; the own one belongs to the API. An own voice hides a shipped one of the same name. Both
are read again when they change. A file that is not as it should be is left alone and reported in `warnings`.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from glm_tts_api.audio.containers import HEAD_BYTES, Container, container_of
from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.contracts import Voice
from glm_tts_api.errors import Forbidden, InvalidField, UnknownVoice, VoiceExists, quote
from glm_tts_api.voices.book import INDEX_PATTERN, INDEX_RULE, Entry, VoiceBook
from glm_tts_api.voices.writing import Entries, OwnVoices

BOOK_NAME = "prompt_cache.json"
Source = Literal["shipped", "own"]


@dataclass(frozen=True, slots=True)
class VoiceInfo:
    """A registered voice as a list shows it."""

    index: str
    transcript: str
    source: Source


class VoiceStore:
    """The voices of `shipped` (a prompt_cache.json) and of `own_dir`, a folder that is made when needed.

    Recordings may lie beside those two files, and in `bundled`, where the default voices' are.
    """

    def __init__(
        self, shipped: Path, own_dir: Path, *, limits: RecordingLimits, bundled: Path | None = None
    ) -> None:
        self._limits = limits
        allowed = (shipped.parent, own_dir, *([bundled] if bundled else []))
        self._folders = tuple(folder.resolve() for folder in allowed)
        self._shipped = VoiceBook(shipped, folders=self._folders)
        self._own = VoiceBook(own_dir / BOOK_NAME, folders=self._folders)
        self._writer = OwnVoices(own_dir, self._own.path)
        self._reading = threading.Lock()

    @property
    def warnings(self) -> list[str]:
        """What is wrong with the two files, a sentence each."""
        with self._reading:
            self._refresh()
            return [*self._shipped.warnings, *self._own.warnings]

    def list_voices(self) -> list[VoiceInfo]:
        """Every voice, by its name."""
        with self._reading:
            self._refresh()
            shipped, own = self._shipped.entries, self._own.entries
        voices = {name: VoiceInfo(name, entry.transcript, "shipped") for name, entry in shipped.items()}
        voices.update({name: VoiceInfo(name, entry.transcript, "own") for name, entry in own.items()})
        return [voices[name] for name in sorted(voices)]

    def info(self, index: str) -> VoiceInfo:
        """Raises UnknownVoice."""
        found = next((voice for voice in self.list_voices() if voice.index == index), None)
        if found is None:
            raise _unknown(index)
        return found

    def get(self, index: str) -> Voice:
        """The voice with its decoded recording. Raises UnknownVoice, or what decode_audio raises."""
        entry, data = self._with_recording(index)
        recording = decode_audio(data, self._limits)
        return Voice(recording, entry.transcript, digest_of(data), name=index)

    def audio(self, index: str) -> tuple[bytes, Container | None]:
        """The recording's file as it was given. Raises UnknownVoice."""
        _, data = self._with_recording(index)
        return data, container_of(data[:HEAD_BYTES])

    def read_recording(self, path: str) -> bytes:
        """The file at `path` if it lies in one of the two prompt folders. Raises InvalidField."""
        found = self._shipped.locate(path) or self._own.locate(path)
        if found is None:
            raise InvalidField(
                "prompt_audio_path must name a file in the prompt folders: configs/ or PROMPTS_DIR."
            )
        return found.read_bytes()

    def add(self, index: str, transcript: str, data: bytes) -> VoiceInfo:
        """Registers a new voice. Raises VoiceExists, InvalidField, or what decode_audio raises."""
        _require_index(index)
        decode_audio(data, self._limits)

        def insert(own: Entries) -> None:
            if index in own or index in self._shipped_names():
                raise VoiceExists(f"A voice '{index}' exists; PUT replaces it.")
            own[index] = self._writer.keep(index, transcript, data)

        self._writer.change(insert)
        return VoiceInfo(index, transcript, "own")

    def replace(self, index: str, transcript: str | None, data: bytes | None) -> VoiceInfo:
        """Changes a voice's transcript, recording or both; of a shipped voice an own copy is made, which
        hides it until it is deleted. Raises UnknownVoice, or what decode_audio raises."""
        entry, old_data = self._with_recording(index)
        if data is not None:
            decode_audio(data, self._limits)
        new_transcript = entry.transcript if transcript is None else transcript

        def put(own: Entries) -> None:
            own[index] = self._writer.keep(index, new_transcript, old_data if data is None else data)

        self._writer.change(put)
        return VoiceInfo(index, new_transcript, "own")

    def remove(self, index: str) -> None:
        """Deletes an own voice. Raises UnknownVoice, and Forbidden for a shipped one."""

        def drop(own: Entries) -> None:
            if index in own:
                del own[index]
            elif index in self._shipped_names():
                raise Forbidden(
                    f"'{index}' ships with the server: remove it from configs/{BOOK_NAME}, not over the API."
                )
            else:
                raise _unknown(index)

        self._writer.change(drop)

    def _shipped_names(self) -> set[str]:
        with self._reading:
            self._refresh()
            return set(self._shipped.entries)

    def _refresh(self) -> None:
        self._shipped.refresh()
        self._own.refresh()

    def _with_recording(self, index: str) -> tuple[Entry, bytes]:
        """Looks twice: between looking up and opening, another process may have replaced the recording."""
        return _twice(lambda: self._look_up(index), lambda entry: entry.audio.read_bytes())

    def _look_up(self, index: str) -> Entry:
        with self._reading:
            self._refresh()
            entry = self._own.entries.get(index) or self._shipped.entries.get(index)
        if entry is None:
            raise _unknown(index)
        return entry


def digest_of(data: bytes) -> str:
    """The name of a recording's content."""
    return hashlib.sha256(data).hexdigest()


def _twice(look_up: Callable[[], Entry], read: Callable[[Entry], bytes]) -> tuple[Entry, bytes]:
    entry = look_up()
    try:
        return entry, read(entry)
    except FileNotFoundError:
        entry = look_up()
        return entry, read(entry)


def _require_index(index: str) -> None:
    if not INDEX_PATTERN.fullmatch(index):
        raise InvalidField(f"index must be {INDEX_RULE}, not '{quote(index)}'.")


def _unknown(index: str) -> UnknownVoice:
    return UnknownVoice(f"There is no voice '{quote(index)}'; GET /api/v1/prompts lists them.")
