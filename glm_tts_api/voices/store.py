"""Prompt recordings and their transcripts on disk. Blocking; safe between threads and processes.

Two files of one shape, `{index: {"prompt_audio_path", "prompt_text", "consent"}}`, the last of them optional.
The shipped one is edited by hand and never written here; the own one belongs to the API. An own voice hides a
shipped one of the same name. Both are read again when they change. A file that is not as it should be is left
alone and reported in `warnings`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeVar

from glm_tts_api.audio.containers import HEAD_BYTES, Container, container_of
from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.audio.trim import trimmed
from glm_tts_api.contracts import Voice
from glm_tts_api.errors import (
    Forbidden,
    InvalidField,
    RecordingMissing,
    VoiceChanged,
    VoiceExists,
)
from glm_tts_api.voices.decoded import DecodedRecordings
from glm_tts_api.voices.index import Entry, VoiceIndex
from glm_tts_api.voices.names import composed, required_index, unknown_voice
from glm_tts_api.voices.transcript import MAX_CHARACTERS, check_consent, check_transcript
from glm_tts_api.voices.writer import Entries, StoreLimits, VoiceWriter

BOOK_NAME = "prompt_cache.json"
_DECODED_BYTES = 64 * 2**20  # some hundred prompts of five seconds
Source = Literal["shipped", "own"]
ReadT = TypeVar("ReadT")


@dataclass(frozen=True, slots=True)
class VoiceInfo:
    """A registered voice as a list shows it. `seen`: all that changes with its recording."""

    index: str
    transcript: str
    consent: str
    source: Source
    seen: tuple[Path, int, int, int, int]

    @property
    def created_at(self) -> int:
        """The time when its recording was written, in seconds since 1970."""
        return self.seen[3] // 10**9

    @property
    def version(self) -> str:
        """A word that changes whenever the voice does."""
        return sha256(repr((self.source, self.transcript, self.consent, self.seen)).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class _Found:
    """An entry and the index that it stands in."""

    index: str
    entry: Entry
    source: Source

    @property
    def audio(self) -> Path:
        """Raises RecordingMissing if there is none."""
        if self.entry.audio is None:
            raise RecordingMissing(
                f"The recording of voice '{self.index}' is no longer in the prompt folders. "
                f"PUT /api/v1/prompts/{self.index} with prompt_audio gives it a new one."
            )
        return self.entry.audio

    def info(self) -> VoiceInfo:
        """Raises RecordingMissing, or FileNotFoundError if the recording went since the index was read."""
        file = self.audio.stat()
        seen = (self.audio, file.st_ino, file.st_size, file.st_mtime_ns, file.st_ctime_ns)
        return VoiceInfo(self.index, self.entry.transcript, self.entry.consent, self.source, seen)


class VoiceStore:
    """The voices of `shipped` (a prompt_cache.json; while it is not there, of `default`) and of `own_dir`, a
    folder that is made when needed.

    Recordings may lie beside the first file, in `own_dir`, and in `bundled`, where the default voices' are.
    """

    def __init__(
        self,
        shipped: Path,
        own_dir: Path,
        *,
        limits: RecordingLimits,
        max_characters: int = MAX_CHARACTERS,
        room: StoreLimits | None = None,
        bundled: Path | None = None,
        default: Path | None = None,
    ) -> None:
        self.limits = limits
        allowed = (shipped.parent, own_dir, *([bundled] if bundled else []))
        folders = tuple(folder.resolve() for folder in allowed)
        self.check_transcript = partial(check_transcript, max_characters=max_characters)
        self._shipped = VoiceIndex(shipped, folders=folders, max_characters=max_characters, default=default)
        self._own = VoiceIndex(own_dir / BOOK_NAME, folders=folders, max_characters=max_characters)
        self.room = room or StoreLimits()
        self._writer = VoiceWriter(own_dir, self._own.path, limits=self.room, in_use=self._recordings_in_use)
        self._decoded = DecodedRecordings(limits, max_bytes=_DECODED_BYTES)
        self._reading = threading.Lock()

    @property
    def warnings(self) -> list[str]:
        """Faults of the two files, a sentence each."""
        self.list_voices()
        with self._reading:
            return [*self._shipped.warnings, *self._own.warnings]

    def list_voices(self) -> list[VoiceInfo]:
        """Every voice that has its recording, by its name."""

        def look(*, again: bool) -> list[VoiceInfo]:
            found = self._find_all(again=again)
            whole = (found[index] for index in sorted(found) if found[index].entry.audio is not None)
            return [voice.info() for voice in whole]

        return _until_there(look)

    def info(self, index: str) -> VoiceInfo:
        """Raises UnknownVoice or RecordingMissing."""

        def look(*, again: bool) -> VoiceInfo:
            voice = self._find(index, again=again)
            return voice.info()

        return _until_there(look)

    def get(self, index: str) -> Voice:
        """The voice with its decoded recording, which is shared: not to be written to. Raises UnknownVoice,
        RecordingMissing, or what decode_audio raises."""

        def look(*, again: bool) -> Voice:
            voice = self._find(index, again=again)
            decoded = self._decoded.get(voice.audio)
            return Voice(decoded.recording, voice.entry.transcript, decoded.digest, name=index)

        return _until_there(look)

    def audio(self, index: str) -> tuple[bytes, Container | None]:
        """The recording's file as it is kept. Raises UnknownVoice or RecordingMissing."""
        data = _until_there(lambda *, again: self._find(index, again=again).audio.read_bytes())
        return data, container_of(data[:HEAD_BYTES])

    def read_recording(self, path: str) -> bytes:
        """The file at `path` if it lies in one of the two prompt folders. Raises InvalidField."""
        found = self._shipped.locate(path) or self._own.locate(path)
        if found is None:
            raise InvalidField(
                "prompt_audio_path must name a file in the prompt folders: configs/ or PROMPTS_DIR."
            )
        return found.read_bytes()

    def clear_cache(self) -> int:
        """Forgets the decoded recordings; returns the bytes that this frees."""
        return self._decoded.clear()

    def add(self, index: str, transcript: str, data: bytes, consent: str = "") -> VoiceInfo:
        """Registers a new voice. Raises VoiceExists, InvalidField, TextTooLong, StorageFull, or what
        decode_audio raises."""
        index, consent = required_index(index), check_consent(consent)
        kept = trimmed(data, decode_audio(data, self.limits))

        def insert(own: Entries) -> VoiceInfo:
            if index in own or index in self._find_all():
                raise VoiceExists(f"A voice '{index}' exists; PUT replaces it.")
            own[index] = self._writer.keep(own, index, transcript, kept, consent)
            return self._stored(index, own)

        return self._writer.change(insert)

    def replace(
        self,
        index: str,
        transcript: str | None,
        data: bytes | None,
        consent: str | None = None,
        *,
        only_if: Collection[str] | None = None,
    ) -> VoiceInfo:
        """Changes of a voice what is not None; of a shipped voice an own copy is made, which hides it until
        it is deleted. `only_if`: the versions of the voice that the change is meant for.

        Raises UnknownVoice, VoiceChanged, RecordingMissing, TextTooLong, StorageFull, or what decode_audio
        raises.
        """
        index = composed(index)
        consent = None if consent is None else check_consent(consent)
        kept = None if data is None else trimmed(data, decode_audio(data, self.limits))

        def put(own: Entries) -> VoiceInfo:
            voice = self._current(index, own, only_if)
            text = voice.entry.transcript if transcript is None else transcript
            agreed = voice.entry.consent if consent is None else consent
            if kept is None and voice.source == "own":
                own[index] = {**own[index], "prompt_text": text, "consent": agreed}
            else:
                kept_now = voice.audio.read_bytes() if kept is None else kept
                own[index] = self._writer.keep(own, index, text, kept_now, agreed)
            return self._stored(index, own)

        return self._writer.change(put)

    def remove(self, index: str, *, only_if: Collection[str] | None = None) -> None:
        """Deletes an own voice. Raises UnknownVoice, VoiceChanged, and Forbidden for a shipped one."""
        index = composed(index)

        def drop(own: Entries) -> None:
            if index not in own and self._find(index).source == "shipped":
                raise Forbidden(
                    f"'{index}' ships with the server: remove it from configs/{BOOK_NAME}, not over the API."
                )
            if only_if is not None:
                self._current(index, own, only_if)
            del own[index]

        self._writer.change(drop)

    def _find(self, index: str, *, again: bool = False) -> _Found:
        index = composed(index)
        shipped, own = self._entries(again=again)
        if index in own:
            return _Found(index, own[index], "own")
        if index in shipped:
            return _Found(index, shipped[index], "shipped")
        whole = (name for name, entry in {**shipped, **own}.items() if entry.audio is not None)
        raise unknown_voice(index, sorted(whole))

    def _find_all(self, *, again: bool = False) -> dict[str, _Found]:
        shipped, own = self._entries(again=again)
        voices = {index: _Found(index, entry, "shipped") for index, entry in shipped.items()}
        voices.update({index: _Found(index, entry, "own") for index, entry in own.items()})
        return voices

    def _entries(self, *, again: bool = False) -> tuple[dict[str, Entry], dict[str, Entry]]:
        """The entries of the shipped index and of the own one; `again`: read them in any case."""
        with self._reading:
            self._shipped.refresh(again=again)
            self._own.refresh(again=again)
            return self._shipped.entries, self._own.entries

    def _current(self, index: str, own: Entries, only_if: Collection[str] | None) -> _Found:
        """The voice as it is while nobody else can change it."""
        entry = self._own.entry_of(index, own.get(index))
        voice = self._find(index) if entry is None else _Found(index, entry, "own")
        if only_if is not None and (voice.entry.audio is None or voice.info().version not in only_if):
            raise VoiceChanged(f"Voice '{index}' was changed meanwhile: look at it again, then decide.")
        return voice

    def _stored(self, index: str, own: Entries) -> VoiceInfo:
        entry = self._own.entry_of(index, own[index])
        assert entry is not None
        return _Found(index, entry, "own").info()

    def _recordings_in_use(self, own: Entries) -> Iterable[Path]:
        shipped, _ = self._entries()
        entries = [*shipped.values(), *(self._own.entry_of(index, item) for index, item in own.items())]
        return [entry.audio for entry in entries if entry is not None and entry.audio is not None]


def _until_there(look: Callable[..., ReadT]) -> ReadT:
    """The result of `look`; looks once more if a recording vanished meanwhile. The second look shows whether
    another writer replaced the recording or it is gone, so this ends."""
    again = False
    while True:
        try:
            return look(again=again)
        except FileNotFoundError:
            again = True
        except PermissionError as error:
            raise RecordingMissing(
                "The voice's recording cannot be read: let the server's user read the prompt folders."
            ) from error
