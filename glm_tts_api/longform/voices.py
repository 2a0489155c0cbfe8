"""Stores copies of a job's voices in its folder when the job is made, so that the job goes on in them even if
the registered voices are changed or deleted. The functions are blocking calls."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct

from glm_tts_api.contracts import Recording, Voice
from speech_text.marks import MOOD_SIGN, voices_in

BOOK = ""  # the name of the book's main voice, which speaks unless a unit or a mark names another


class _Kept(Struct, frozen=True):
    name: str
    file: str
    registered: str | None
    transcript: str
    digest: str
    sample_rate: int


def unit_voices(text: str, own: str | None) -> dict[str, str]:
    """Returns the voices that marks in the text of a unit ask for. A key is the name under which
    `keep_voices` stores the voice, and its value is the name that the mark uses. The two differ for a mark
    such as `:glad`: in a unit of the voice `my_voice` the mark means `my_voice:glad`. `own` is the unit's
    voice; None is the book's voice."""
    return {
        f"{(own or BOOK).partition(MOOD_SIGN)[0]}{name}" if name.startswith(MOOD_SIGN) else name: name
        for name in voices_in(text)
        if name.strip(MOOD_SIGN)
    }


def keep_voices(folder: Path, voices: Mapping[str, Voice]) -> None:
    """Writes the recordings and transcripts of `voices` into `folder`. The keys are the names that units and
    marks use; the book's main voice has the name BOOK. Raises OSError."""
    kept = []
    folder.mkdir(exist_ok=True)
    for number, (name, voice) in enumerate(voices.items()):
        recording = voice.recording
        file = f"{number}.npy"
        data = io.BytesIO()  # np.save on a file would not raise an error on a full disk
        np.save(data, recording.samples)
        (folder / file).write_bytes(data.getbuffer())
        kept.append(_Kept(name, file, voice.name, voice.transcript, voice.digest, recording.sample_rate))
    (folder / "voices.json").write_bytes(msgspec.json.encode(kept))


def kept_voices(folder: Path) -> dict[str, Voice]:
    """Reads the voices that `keep_voices` wrote into `folder`, by the same names. Raises OSError,
    msgspec.MsgspecError."""
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
