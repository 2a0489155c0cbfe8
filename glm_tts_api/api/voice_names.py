"""Voices by their own names, by the names that other services have for theirs (VOICE_ALIASES), and those that
a request brings with it."""

from __future__ import annotations

from collections.abc import Iterable

from glm_tts_api.api.app_state import AppState
from glm_tts_api.audio.containers import HEAD_BYTES
from glm_tts_api.audio.decode import require_audio
from glm_tts_api.contracts import UploadedVoice, Voice
from glm_tts_api.errors import InvalidField, MalformedPronunciation, UnknownVoice
from glm_tts_api.http.uploads import Upload
from glm_tts_api.text.markup.marks import voices_in

_MOST_VOICES = 32  # of a text: their samples lie in memory while it waits


async def voices_of(name: str, text: str, state: AppState) -> tuple[Voice, dict[str, Voice]]:
    """The voice of that name, and those that marks in the text call for. Raises UnknownVoice."""
    voice = await state.pools.files.run(named_voice, name, state)
    return voice, await marked_voices(text, state)


async def marked_voices(text: str, state: AppState) -> dict[str, Voice]:
    """The voices that marks in the text call for. Raises UnknownVoice."""
    return await state.pools.files.run(lambda: named_voices(voices_in(text), state))


def named_voices(names: Iterable[str], state: AppState) -> dict[str, Voice]:
    """The voice of each name that is not empty. Blocking. Raises UnknownVoice, and MalformedPronunciation for
    more than one text may call for."""
    wanted = dict.fromkeys(filter(None, names))
    if len(wanted) > _MOST_VOICES:
        raise MalformedPronunciation(
            f"The text calls for {len(wanted)} voices, at most {_MOST_VOICES} may speak: send it in parts."
        )
    return {name: named_voice(name, state) for name in wanted}


def named_voice(name: str, state: AppState) -> Voice:
    """The registered voice of that name, else the one whose alias it is. Blocking. Raises UnknownVoice."""
    aliases, voices = state.config.voice_aliases, state.voices
    try:
        return voices.get(name)
    except UnknownVoice:
        if name not in aliases:
            raise
        return voices.get(aliases[name])


async def uploaded_voice(
    upload: Upload, transcript: str | None, state: AppState, *, names: tuple[str, str]
) -> UploadedVoice:
    """The voice of a recording that came with a request. `names`: the fields of recording and transcript.
    Raises InvalidField, TextTooLong, NotAudio."""
    audio, text = names
    if transcript is None or not transcript.strip():
        raise InvalidField(f"{audio} needs {text}, its exact transcript.", text)
    transcript = state.voices.check_transcript(transcript, field=text)
    require_audio(await state.pools.files.run(upload.read, HEAD_BYTES))
    return UploadedVoice(upload.read, transcript)
