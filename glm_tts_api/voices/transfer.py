"""Exports voices from a store and imports voices into one, to move them between servers. Blocking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from glm_tts_api.audio.decode import decode_audio
from glm_tts_api.audio.trim import trimmed
from glm_tts_api.contracts import in_mood
from glm_tts_api.errors import InvalidField, NotFound, ServiceError, VoiceExists
from glm_tts_api.voices.about import check_about
from glm_tts_api.voices.archive import PackedVoice
from glm_tts_api.voices.found import VoiceInfo
from glm_tts_api.voices.store import VoiceStore

Result = Literal["added", "there", "taken"]


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
