"""The voices of a job, kept in its folder as they were when it was made: a book goes on in them, whatever
becomes of the registered ones. Blocking."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct

from glm_tts_api.contracts import Recording, Voice

BOOK = ""  # the name of the voice of all that no other is asked for


class _Kept(Struct, frozen=True):
    name: str
    file: str
    registered: str | None
    transcript: str
    digest: str
    sample_rate: int


def keep_voices(folder: Path, voices: Mapping[str, Voice]) -> None:
    """`voices` by the names that units and marks call them, that of the book as BOOK. Raises OSError."""
    kept = []
    folder.mkdir(exist_ok=True)
    for number, (name, voice) in enumerate(voices.items()):
        recording = voice.recording
        file = f"{number}.npy"
        data = io.BytesIO()  # a file that np.save writes itself does not say that the disk is full
        np.save(data, recording.samples)
        (folder / file).write_bytes(data.getbuffer())
        kept.append(_Kept(name, file, voice.name, voice.transcript, voice.digest, recording.sample_rate))
    (folder / "voices.json").write_bytes(msgspec.json.encode(kept))


def kept_voices(folder: Path) -> dict[str, Voice]:
    """The voices that `keep_voices` has written. Raises OSError, msgspec.MsgspecError."""
    kept = msgspec.json.decode((folder / "voices.json").read_bytes(), type=list[_Kept])
    return {
        one.name: Voice(
            Recording(np.load(folder / one.file), one.sample_rate),
            one.transcript,
            one.digest,
            one.registered,
        )
        for one in kept
    }
