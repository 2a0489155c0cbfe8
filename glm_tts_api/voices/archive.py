"""Exports voices of a store to one file and imports them from it, to move them between servers: a zip with
their recordings and a prompt_cache.json of the same form as the one in configs/. Nothing is unpacked to the
disk. Blocking."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO, Literal, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from glm_tts_api.audio.containers import container_of
from glm_tts_api.audio.decode import decode_audio
from glm_tts_api.audio.measure import trimmed
from glm_tts_api.errors import InvalidField, NotFound, ServiceError, VoiceExists, quote
from glm_tts_api.voices.about import NOTES, About, check_about
from glm_tts_api.voices.index import VoiceInfo, parse_entries, shape_problem
from glm_tts_api.voices.store import VoiceStore
from speech_text.marks import MOOD_SIGN, in_mood

Result = Literal["added", "there", "taken"]
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
            read = _reads(archive, most_bytes)
            listed = read(_LIST, _MOST_LIST_BYTES)
            if listed.count(b"[") + listed.count(b"{") > _MOST_BRACKETS:
                raise ValueError("its list has too many brackets")
            entries = parse_entries(listed)
            for name, entry in entries.items():
                if problem := shape_problem(name, entry):
                    raise ValueError(f"of its voice '{quote(name)}', {problem}")
            return {
                name: PackedVoice(
                    read(entry["prompt_audio_path"]),
                    entry["prompt_text"],
                    {note: entry[note] for note in NOTES if entry.get(note)},
                )
                for name, entry in sorted(entries.items(), key=lambda entry: MOOD_SIGN in entry[0])
            }
    except _BROKEN as error:
        raise InvalidField(f"This is no file of exported voices: {error}.", "archive") from None


def _reads(archive: ZipFile, most_bytes: int) -> Callable[..., bytes]:
    """Returns a function that reads a file of the zip, unpacked, by its name. All reads together may unpack
    at most `most_bytes` bytes; with a second argument, this file at most so many. No more is unpacked than
    the size that the zip states. The function raises ValueError for a missing or too large file, and the
    errors of ZipFile."""
    left = most_bytes

    def read(name: str, most: int = most_bytes) -> bytes:
        nonlocal left
        try:
            member = archive.getinfo(name)
        except KeyError:
            raise ValueError(f"it has no {quote(name)}") from None
        if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):  # other methods have no limit
            raise ValueError(f"{quote(name)} is neither stored nor deflated")
        left -= member.file_size
        if left < 0 or member.file_size > most:
            raise ValueError(f"unpacked, {quote(name)} makes it too large (over {most_bytes / 2**20:g} MB)")
        with archive.open(member) as file:
            return file.read(member.file_size)

    return read


def recordings_of(store: VoiceStore, names: Sequence[str]) -> list[VoiceInfo]:
    """Returns the voices with these names and all their moods, as one list without repetitions. Without
    names, returns all voices and their moods. Raises UnknownVoice, UnknownMood, RecordingMissing."""
    voices = [store.info(name) for name in names] or store.list_voices()
    return [*{each.index: each for voice in voices for each in (voice, *voice.moods)}.values()]


def read_each(store: VoiceStore, recordings: Sequence[VoiceInfo]) -> Iterator[tuple[str, PackedVoice]]:
    """Reads the recordings from the store and yields pairs of name and voice, as `archive.pack` takes them.
    Voices that were deleted meanwhile are left out."""
    for voice in recordings:
        try:
            data, _ = store.audio(voice.index)
        except NotFound:
            continue
        yield voice.index, PackedVoice(data, voice.transcript, voice.about)


def bring(store: VoiceStore, voices: Mapping[str, PackedVoice]) -> dict[str, Result]:
    """Adds `voices` to the store. Returns for each name "added", "there" if the store has the same voice
    already, or "taken" if the store has another voice of that name, which stays. Raises InvalidField before
    anything is added if one voice is not allowed. Raises StorageFull when the store is full; the voices that
    were added before stay."""
    whole = {name: _checked(store, name, voice, voices) for name, voice in voices.items()}
    return {name: _add(store, name, voice) for name, voice in whole.items()}


def _checked(
    store: VoiceStore, name: str, voice: PackedVoice, others: Mapping[str, PackedVoice]
) -> PackedVoice:
    """Checks a voice of an import and returns it in the form in which the store keeps it. Raises
    InvalidField."""
    try:
        recording = trimmed(voice.recording, decode_audio(voice.recording, store.limits))
        transcript, about = store.check_transcript(voice.transcript), check_about(voice.about)
        if (speaker := in_mood(name, "")) not in others:
            store.info(speaker)
    except ServiceError as fault:
        raise InvalidField(
            f"Voice '{name}' cannot be, and none is imported: {fault.message}", "archive"
        ) from None
    return PackedVoice(recording, transcript, about)


def _add(store: VoiceStore, name: str, voice: PackedVoice) -> Result:
    try:
        store.add(name, voice.transcript, voice.recording, voice.about)
    except VoiceExists:
        there = store.info(name)
        data, _ = store.audio(name)
        is_same = voice == PackedVoice(data, there.transcript, there.about)
        return "there" if is_same else "taken"
    return "added"
