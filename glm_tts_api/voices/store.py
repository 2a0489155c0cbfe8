"""Stores the voices, which are recordings with their transcripts, on the disk. All calls are blocking;
threads and processes may call them at the same time.

Two index files have the same form, `{index: {"prompt_audio_path", "prompt_text"}}`, and optional notes
(about.py). A voice in a mood is an entry of its own, `voice:mood`.

The shipped index is edited by hand and never written by this module. The own index has the voices that were
added over the API. An own voice hides a shipped voice of the same name. Each index is read again when its
file changes. A faulty file is left as it is and reported in `warnings`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from glm_tts_api.audio.containers import HEAD_BYTES, Container, container_of
from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.audio.measure import trimmed, without_silence
from glm_tts_api.contracts import Voice
from glm_tts_api.errors import Forbidden, InvalidField, RecordingMissing, VoiceChanged, VoiceExists
from glm_tts_api.voices.about import (
    MAX_CHARACTERS,
    NONE,
    NOTES,
    About,
    check_about,
    check_transcript,
    composed,
    required_index,
    unknown_mood,
    unknown_voice,
)
from glm_tts_api.voices.decoded import DecodedRecordings
from glm_tts_api.voices.index import VoiceIndex, VoiceInfo
from glm_tts_api.voices.writer import Entries, StoreLimits, VoiceWriter
from speech_text.marks import MOOD_SIGN, in_mood

BOOK_NAME = "prompt_cache.json"
_DECODED_BYTES = 64 * 2**20  # enough for some hundred recordings of five seconds
ReadT = TypeVar("ReadT")


class VoiceStore:
    """The voices of two index files. `shipped` is a prompt_cache.json; while it does not exist, `default` is
    read in its place. `own_dir` is the folder of the voices added over the API, made when needed.

    Recordings may lie in the folder of `shipped`, in `own_dir`, and in `bundled`, the folder of the default
    voices. `limits` is the allowed length of a recording, and `room` limits the added voices.
    """

    def __init__(
        self,
        shipped: Path,
        own_dir: Path,
        *,
        limits: RecordingLimits,
        room: StoreLimits | None = None,
        bundled: Path | None = None,
        default: Path | None = None,
    ) -> None:
        self.limits = limits
        allowed = (shipped.parent, own_dir, *([bundled] if bundled else []))
        folders = tuple(folder.resolve() for folder in allowed)
        max_characters = max(MAX_CHARACTERS, round(MAX_CHARACTERS * limits.max_s / 30))
        self.check_transcript = partial(check_transcript, max_characters=max_characters)
        self._shipped = VoiceIndex(shipped, folders=folders, max_characters=max_characters, default=default)
        self._own = VoiceIndex(
            own_dir / BOOK_NAME, folders=folders, max_characters=max_characters, source="own"
        )
        self.room = room or StoreLimits()
        self._writer = VoiceWriter(own_dir, self._own.path, limits=self.room, in_use=self._recordings_in_use)
        self._decoded = DecodedRecordings(limits, max_bytes=_DECODED_BYTES)

    @property
    def warnings(self) -> list[str]:
        """The faults of the two index files, a sentence each."""
        self.list_voices()
        return [*self._shipped.warnings, *self._own.warnings]

    def list_voices(self) -> list[VoiceInfo]:
        """Returns the voices whose recordings exist, sorted by name, each with its moods."""

        def look() -> list[VoiceInfo]:
            found = self._find_all()
            whole = [found[index] for index in sorted(found) if found[index].audio is not None]
            moods = defaultdict[str, list[VoiceInfo]](list)
            for voice in whole:
                name, sign, _ = voice.index.partition(MOOD_SIGN)
                if sign:
                    moods[name].append(voice.looked_at())
            voices = (voice for voice in whole if MOOD_SIGN not in voice.index)
            return [voice.looked_at(tuple(moods[voice.index])) for voice in voices]

        return self._until_there(look)

    def info(self, index: str) -> VoiceInfo:
        """Returns the voice named `index` with its moods, or one voice in a mood (`voice:mood`). Raises
        UnknownVoice, UnknownMood or RecordingMissing."""
        return self._until_there(lambda: self._with_moods(self._find(index)))

    def get(self, index: str) -> Voice:
        """Returns the voice named `index` (or `voice:mood`) with its decoded recording. The samples are
        shared with other requests and must not be changed. Raises UnknownVoice, UnknownMood,
        RecordingMissing, or the errors of decode_audio."""

        def look() -> Voice:
            voice = self._find(index)
            recording, digest = self._decoded.get(voice.file)
            return Voice(recording, voice.transcript, digest, name=index)

        return self._until_there(look)

    def audio(self, index: str) -> tuple[bytes, Container | None]:
        """Returns the recording's file as it is stored, and its container; None for an unknown container.
        Raises UnknownVoice, UnknownMood or RecordingMissing."""
        data = self._until_there(lambda: self._find(index).file.read_bytes())
        return data, container_of(data[:HEAD_BYTES])

    def read_recording(self, path: str) -> bytes:
        """Returns the content of the file `path` if it lies in the prompt folders. Raises InvalidField if it
        does not."""
        found = self._shipped.locate(path) or self._own.locate(path)
        if found is None:
            raise InvalidField(
                "prompt_audio_path must name a file in the prompt folders: configs/ or PROMPTS_DIR."
            )
        return found.read_bytes()

    def clear_cache(self) -> int:
        """Empties the cache of decoded recordings. Returns how many bytes of samples the cache had."""
        return self._decoded.clear()

    def add(
        self, index: str, transcript: str, data: bytes, about: About = NONE, *, trim_silence: bool = False
    ) -> VoiceInfo:
        """Registers a new voice named `index`, or a mood of an existing voice (`voice:mood`), with the
        recording's file `data`. With `trim_silence` the silence at the recording's ends is cut off. Raises
        VoiceExists, UnknownVoice for a mood of no voice, InvalidField, TextTooLong, StorageFull, Unhealthy,
        or the errors of decode_audio."""
        index, notes = required_index(index), check_about(about)
        kept = self._as_kept(data, trim_silence)

        def insert(own: Entries) -> VoiceInfo:
            there = {**own, **self._find_all()}
            if index in there:
                raise VoiceExists(f"A voice '{index}' exists; PUT replaces it.")
            if (voice := in_mood(index, "")) != index and voice not in there:
                raise unknown_voice(voice, self._names())
            own[index] = self._writer.keep(own, index, transcript, kept, _noted(notes))
            return self._stored(index, own)

        return self._writer.change(insert)

    def replace(
        self,
        index: str,
        transcript: str | None,
        data: bytes | None,
        about: About = NONE,
        *,
        trim_silence: bool = False,
        only_if: Collection[str] | None = None,
    ) -> VoiceInfo:
        """Changes the voice named `index`. If `transcript` or `data` is None, the voice keeps its transcript
        or its recording. A note in `about` replaces the voice's note, and an empty one removes it; other
        notes stay. A shipped voice is copied to the own voices first; the copy hides the shipped voice until
        it is deleted.

        `trim_silence` cuts off the silence at the ends of the recording, whether the recording is new or not.
        If `only_if` is given and does not have the voice's current version, VoiceChanged is raised.

        Raises UnknownVoice, UnknownMood, VoiceChanged, RecordingMissing, InvalidField, TextTooLong,
        StorageFull, Unhealthy, or the errors of decode_audio.
        """
        index = composed(index)
        notes = check_about(about)
        kept = None if data is None else self._as_kept(data, trim_silence)

        def put(own: Entries) -> VoiceInfo:
            voice = self._current(index, own, only_if)
            text = voice.transcript if transcript is None else transcript
            noted = _noted({**voice.about, **notes})
            if kept is None and voice.source == "own" and not trim_silence:
                others = {name: value for name, value in own[index].items() if name not in NOTES}
                own[index] = {**others, "prompt_text": text, **noted}
            else:
                kept_now = self._as_kept(voice.file.read_bytes(), trim_silence) if kept is None else kept
                own[index] = self._writer.keep(own, index, text, kept_now, noted)
            return self._stored(index, own)

        changed = self._writer.change(put)
        self._decoded.forget_gone()
        return changed

    def remove(self, index: str, *, only_if: Collection[str] | None = None) -> None:
        """Deletes the voice named `index`, which was added over the API. The voice's moods that were added
        over the API are deleted too, unless a shipped voice of the same name exists; that voice is visible
        again then. Raises UnknownVoice, UnknownMood, VoiceChanged (see `replace`), and Forbidden for a
        shipped voice."""
        index = composed(index)

        def drop(own: Entries) -> None:
            if index not in own and self._find(index).source == "shipped":
                raise Forbidden(
                    f"'{index}' ships with the server: remove it from configs/{BOOK_NAME}, not over the API."
                )
            if only_if is not None:
                self._current(index, own, only_if)
            del own[index]
            if index not in self._shipped.current():
                for mood in [name for name in own if name.startswith(index + MOOD_SIGN)]:
                    del own[mood]

        self._writer.change(drop, frees=True)
        self._decoded.forget_gone()

    def _as_kept(self, data: bytes, trim_silence: bool) -> bytes:
        if trim_silence:
            data = without_silence(data, self.limits)
        return trimmed(data, decode_audio(data, self.limits))

    def _find(self, index: str) -> VoiceInfo:
        index = composed(index)
        found = self._find_all()
        if index in found:
            return found[index]
        voice, sign, mood = index.partition(MOOD_SIGN)
        if sign and voice in found:
            raise unknown_mood(voice, mood, [name.partition(MOOD_SIGN)[2] for name in self._names(voice)])
        raise unknown_voice(voice, self._names())

    def _with_moods(self, voice: VoiceInfo) -> VoiceInfo:
        """Returns `voice` as the API lists it, with its moods. Raises RecordingMissing, or FileNotFoundError
        if a recording was removed after the index was read."""
        found = self._find_all()
        return voice.looked_at(tuple(found[mood].looked_at() for mood in self._names(voice.index)))

    def _names(self, voice: str = "") -> list[str]:
        """Returns the names of the voices whose recordings exist; with `voice`, the names of the moods of
        that voice, each as `voice:mood`."""
        whole = (name for name, found in self._find_all().items() if found.audio is not None)
        return sorted(name for name in whole if name.rpartition(MOOD_SIGN)[0] == voice)

    def _find_all(self, *, again: bool = False) -> dict[str, VoiceInfo]:
        """Returns the voices of both index files, and their moods. `again` reads both files even if they seem
        unchanged."""
        voices = {**self._shipped.current(again=again), **self._own.current(again=again)}
        return {index: found for index, found in voices.items() if in_mood(index, "") in voices}

    def _current(self, index: str, own: Entries, only_if: Collection[str] | None) -> VoiceInfo:
        """Returns the voice named `index`: the one in `own`, the entries of added voices that are being
        changed, or else the shipped one. Called under the lock of the added voices, so that no other writer
        can change them. Raises UnknownVoice, UnknownMood, and VoiceChanged if the voice's version is not in
        `only_if`."""
        voice = self._own_entry(index, own) or self._find(index)
        if only_if is not None and (voice.audio is None or voice.looked_at().version not in only_if):
            raise VoiceChanged(f"Voice '{index}' was changed meanwhile: look at it again, then decide.")
        return voice

    def _stored(self, index: str, own: Entries) -> VoiceInfo:
        return self._with_moods(self._own.entry_of(index, own[index]))

    def _own_entry(self, index: str, own: Entries) -> VoiceInfo | None:
        with suppress(ValueError):
            return self._own.entry_of(index, own.get(index))
        return None

    def _recordings_in_use(self, own: Entries) -> Iterable[Path]:
        shipped = self._shipped.current().values()
        entries = [*shipped, *(self._own_entry(index, own) for index in own)]
        return [entry.audio for entry in entries if entry is not None and entry.audio is not None]

    def _until_there(self, look: Callable[[], ReadT]) -> ReadT:
        """Returns the result of `look`. If a recording vanished meanwhile, reads both index files again and
        calls `look` again. That call shows whether another writer has replaced the recording or removed it,
        so the loop ends. Raises RecordingMissing for a recording that may not be read."""
        while True:
            try:
                return look()
            except FileNotFoundError:
                self._find_all(again=True)
            except PermissionError as error:
                raise RecordingMissing(
                    "The voice's recording cannot be read: let the server's user read the prompt folders."
                ) from error


def _noted(notes: About) -> About:
    return {name: text for name, text in notes.items() if text}
