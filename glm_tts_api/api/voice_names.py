"""Finds the voices of a request: registered voices by their names or their aliases (VOICE_ALIASES), and a
recording in the request."""

from __future__ import annotations

from collections.abc import Iterable

from glm_tts_api.api.app_state import AppState
from glm_tts_api.audio.containers import HEAD_BYTES
from glm_tts_api.audio.decode import require_audio
from glm_tts_api.contracts import MOOD_SIGN, UploadedVoice, Voice, in_mood
from glm_tts_api.errors import InvalidField, MalformedPronunciation, UnknownMood, UnknownVoice, quote
from glm_tts_api.http.uploads import Upload
from speech_text.markup.marks import voices_in

_MOST_VOICES = 32  # in one text; their samples are in memory while the request waits


async def voices_of(name: str, text: str, state: AppState) -> tuple[Voice, dict[str, Voice]]:
    """Returns the voice `name`, and the voices that marks such as [[voice ann]] name in `text`, by their
    names. Raises UnknownVoice."""
    voice = await state.pools.files.run(named_voice, name, state)
    return voice, await marked_voices(text, state, voice)


async def marked_voices(text: str, state: AppState, own: Voice | UploadedVoice) -> dict[str, Voice]:
    """Returns the voices that marks such as [[voice ann]] name in `text`, by their names. `own` is the
    request's own voice, which a mark with a mood alone means ([[mood glad]]). Raises UnknownVoice."""
    return await state.pools.files.run(lambda: named_voices(voices_in(text), state, own))


def named_voices(
    names: Iterable[str], state: AppState, own: Voice | UploadedVoice | None
) -> dict[str, Voice]:
    """Returns the voice of each name in `names`; names that are empty or only `:` are left out. A name like
    `:glad` means the voice `own` in that mood. Blocking. Raises UnknownVoice, UnknownMood, and
    MalformedPronunciation for more than 32 voices."""
    wanted = dict.fromkeys(name for name in names if name.strip(MOOD_SIGN))
    if len(wanted) > _MOST_VOICES:
        raise MalformedPronunciation(
            f"The text calls for {len(wanted)} voices, at most {_MOST_VOICES} may speak: send it in parts."
        )
    return {
        name: mood_of(own, name[1:], state) if name.startswith(MOOD_SIGN) else named_voice(name, state)
        for name in wanted
    }


def named_voice(name: str, state: AppState) -> Voice:
    """Returns the registered voice `name`. If there is none, returns the voice for which `name` is an alias.
    A name may include a mood (`ann:glad`). Blocking. Raises UnknownVoice and UnknownMood."""
    aliases, voices = state.config.voice_aliases, state.voices
    try:
        return voices.get(name)
    except UnknownMood:
        raise
    except UnknownVoice:
        voice, sign, mood = name.partition(MOOD_SIGN)
        if voice not in aliases:
            raise
        return voices.get(in_mood(aliases[voice], mood) if sign else aliases[voice])


def mood_of(own: Voice | UploadedVoice | None, mood: str, state: AppState) -> Voice:
    """Returns the request's own voice `own` in the given mood. Blocking. Raises UnknownMood, also if `own` is
    a recording in the request, which has no moods."""
    if not isinstance(own, Voice) or own.name is None:
        raise UnknownMood(
            f"The recording that came with the request has no mood '{quote(mood)}': register it as a voice, "
            "with a recording for each mood.",
            "mood",
        )
    return state.voices.get(in_mood(own.name, mood))


async def uploaded_voice(
    upload: Upload, transcript: str | None, state: AppState, *, names: tuple[str, str]
) -> UploadedVoice:
    """Makes a voice of a recording that came with a request and its transcript. `names` are the names of the
    two fields in which these came, for error messages. Raises InvalidField, TextTooLong, NotAudio."""
    audio, text = names
    if transcript is None or not transcript.strip():
        raise InvalidField(f"{audio} needs {text}, its exact transcript.", text)
    transcript = state.voices.check_transcript(transcript, field=text)
    require_audio(await state.pools.files.run(upload.read, HEAD_BYTES))
    return UploadedVoice(upload.read, transcript)
