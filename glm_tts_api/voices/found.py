"""The data types for a registered voice: as the store finds it in an index file, and as the API lists it.
Reads the status of files, not their content."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from glm_tts_api.errors import RecordingMissing
from glm_tts_api.voices.about import About
from glm_tts_api.voices.index import Entry

Source = Literal["shipped", "own"]


@dataclass(frozen=True, slots=True)
class VoiceInfo:
    """A registered voice as the API lists it, or one of its `moods`. `seen` is the path of the voice's
    recording with its inode, size and times, which change with the recording."""

    index: str
    transcript: str
    about: About
    source: Source
    seen: tuple[Path, int, int, int, int]
    moods: tuple[VoiceInfo, ...] = ()

    @property
    def created_at(self) -> int:
        """The time of the last write to the voice's recording, in seconds since 1970."""
        return self.seen[3] // 10**9

    @property
    def version(self) -> str:
        """A digest that changes when the voice's recording, transcript or notes change. Its moods have
        versions of their own."""
        about = sorted(self.about.items())
        return sha256(repr((self.source, self.transcript, about, self.seen)).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Found:
    """A voice's name and its entry in an index file. `source` says which index that is: "shipped" with the
    server, or the API's "own"."""

    index: str
    entry: Entry
    source: Source

    @property
    def audio(self) -> Path:
        """The path of the recording's file. Raises RecordingMissing if there is none."""
        if self.entry.audio is None:
            raise RecordingMissing(
                f"The recording of voice '{self.index}' is no longer in the prompt folders. "
                f"PUT /api/v1/prompts/{self.index} with prompt_audio gives it a new one."
            )
        return self.entry.audio

    def info(self, moods: tuple[VoiceInfo, ...] = ()) -> VoiceInfo:
        """Returns the voice as the API lists it, with `moods`. Raises RecordingMissing, or FileNotFoundError
        if the recording was removed after the index was read."""
        file = self.audio.stat()
        seen = (self.audio, file.st_ino, file.st_size, file.st_mtime_ns, file.st_ctime_ns)
        return VoiceInfo(self.index, self.entry.transcript, self.entry.about, self.source, seen, moods)
