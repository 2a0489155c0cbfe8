"""Exports voices to one file and imports them from it: a zip with their recordings and a prompt_cache.json of
the same form as the one in configs/. Nothing is unpacked to the disk."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from glm_tts_api.audio.containers import container_of
from glm_tts_api.contracts import MOOD_SIGN
from glm_tts_api.errors import InvalidField, quote
from glm_tts_api.voices.about import NOTES, About
from glm_tts_api.voices.index import parse_entries, shape_problem

_LIST = "prompt_cache.json"
_MOST_BRACKETS = 100_000  # of the list: each may begin a list or an object, which takes 50 times its bytes
_MOST_LIST_BYTES = 2**23  # 1024 voices, each with the longest transcript and notes
_MOST_BYTES = 2**30
# RuntimeError is raised for an encrypted file, or for a packing that Python cannot unpack.
_BROKEN = (BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)


class PackedVoice(NamedTuple):
    """A voice (or a voice in one mood) in an export: the bytes of its recording's file, its transcript, and
    its notes that are not empty."""

    recording: bytes
    transcript: str
    about: About


def pack(voices: Iterable[tuple[str, PackedVoice]]) -> Iterator[bytes]:
    """Yields the bytes of the zip in blocks, in order. `voices` are pairs of a name and its voice; one
    recording at a time is in memory."""
    out, listed = _Blocks(), {}
    with ZipFile(out, "w", ZIP_STORED) as archive:
        for name, voice in voices:
            file = _file_name(name, voice.recording)
            listed[name] = {"prompt_audio_path": file, "prompt_text": voice.transcript, **voice.about}
            archive.writestr(file, voice.recording)
            yield out.taken()
        archive.writestr(_LIST, json.dumps(listed, ensure_ascii=False, indent=2))
    yield out.taken()


class _Blocks(io.BytesIO):
    """A file object for ZipFile. `taken` removes and returns the bytes written so far, while ZipFile goes on
    writing after them."""

    _n_taken = 0

    def tell(self) -> int:
        return self._n_taken + super().tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return super().seek(offset - (0 if whence else self._n_taken), whence)

    def taken(self) -> bytes:
        block = self.getvalue()
        self._n_taken += len(block)
        super().seek(0)
        self.truncate()
        return block


def _file_name(name: str, recording: bytes) -> str:
    container, stem = container_of(recording), name.replace(MOOD_SIGN, ".")
    return f"{stem}.{container.extension}" if container else stem


def unpack(file: BinaryIO, most_bytes: int = _MOST_BYTES) -> dict[str, PackedVoice]:
    """Reads the voices from a zip that `pack` made, by their names; the moods come after the voices without a
    mood. Raises InvalidField for a file that is damaged, is something else, or has more than `most_bytes`
    bytes unpacked."""
    try:
        with ZipFile(file) as archive:
            members = _Members(archive, most_bytes)
            listed = members.read(_LIST, _MOST_LIST_BYTES)
            if listed.count(b"[") + listed.count(b"{") > _MOST_BRACKETS:
                raise ValueError("its list has too many brackets")
            entries = parse_entries(listed)
            for name, entry in entries.items():
                if problem := shape_problem(name, entry):
                    raise ValueError(f"of its voice '{quote(name)}', {problem}")
            return {
                name: PackedVoice(
                    members.read(entry["prompt_audio_path"]),
                    entry["prompt_text"],
                    {note: entry[note] for note in NOTES if entry.get(note)},
                )
                for name, entry in sorted(entries.items(), key=lambda entry: MOOD_SIGN in entry[0])
            }
    except _BROKEN as error:
        raise InvalidField(f"This is no file of exported voices: {error}.", "archive") from None


class _Members:
    """The files in a zip. All reads together may unpack at most `most_bytes` bytes."""

    def __init__(self, archive: ZipFile, most_bytes: int) -> None:
        self._archive, self._most, self._left = archive, most_bytes, most_bytes

    def read(self, name: str, most_bytes: int | None = None) -> bytes:
        """Returns the unpacked file `name`. `most_bytes` is the most that this file may have; None sets only
        the limit on all reads together. No more is unpacked than the size that the zip states. Raises
        ValueError for a missing or too large file, and the errors of ZipFile."""
        try:
            member = self._archive.getinfo(name)
        except KeyError:
            raise ValueError(f"it has no {quote(name)}") from None
        if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):  # other methods have no limit
            raise ValueError(f"{quote(name)} is neither stored nor deflated")
        self._left -= member.file_size
        if self._left < 0 or member.file_size > (most_bytes or self._most):
            raise ValueError(f"unpacked, {quote(name)} makes it too large (over {self._most / 2**20:g} MB)")
        with self._archive.open(member) as file:
            return file.read(member.file_size)
