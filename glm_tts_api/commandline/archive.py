"""Voices in one file: a zip of their recordings and a prompt_cache.json, as configs/ has it."""

from __future__ import annotations

import io
import json
import zlib
from lzma import LZMAError
from typing import Any, NamedTuple
from zipfile import ZIP_STORED, BadZipFile, ZipFile

from glm_tts_api.audio.containers import container_of
from glm_tts_api.commandline.failing import Misused

_LIST = "prompt_cache.json"
_MOST_BYTES = 64 * 2**20  # of one recording, unpacked
# RuntimeError: encrypted, or packed as Python cannot unpack.
_BROKEN = (BadZipFile, zlib.error, LZMAError, EOFError, OSError, RuntimeError, ValueError, AttributeError)


class Voice(NamedTuple):
    recording: bytes
    transcript: str
    consent: str = ""


def pack(voices: dict[str, Voice]) -> bytes:
    files = {name: _file_name(name, voice.recording) for name, voice in voices.items()}
    listed = {
        name: {"prompt_audio_path": files[name], "prompt_text": voice.transcript, "consent": voice.consent}
        for name, voice in voices.items()
    }
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_STORED) as archive:
        archive.writestr(_LIST, json.dumps(listed, ensure_ascii=False, indent=2))
        for name, voice in voices.items():
            archive.writestr(files[name], voice.recording)
    return out.getvalue()


def _file_name(name: str, recording: bytes) -> str:
    container = container_of(recording)
    return f"{name}.{container.extension}" if container else name


def unpack(data: bytes) -> dict[str, Voice]:
    """Raises Misused for a file that is not whole, or is something else."""
    try:
        with ZipFile(io.BytesIO(data)) as archive:
            listed = json.loads(_member(archive, _LIST))
            return {str(name): _voice(archive, str(name), entry) for name, entry in listed.items()}
    except _BROKEN as error:
        raise Misused(f"This is no file of glm-tts voices export: {error}") from None


def _voice(archive: ZipFile, name: str, entry: Any) -> Voice:
    match entry:
        case {"prompt_audio_path": str(file), "prompt_text": str(transcript)}:
            return Voice(_member(archive, file), transcript, str(entry.get("consent") or ""))
    raise ValueError(f"{_LIST} has no prompt_audio_path and prompt_text of '{name}'")


def _member(archive: ZipFile, name: str) -> bytes:
    try:
        size = archive.getinfo(name).file_size
    except KeyError:
        raise ValueError(f"it has no {name}") from None
    if size > _MOST_BYTES:
        raise ValueError(f"{name} has {size / 2**20:.0f} MB")
    return archive.read(name)
