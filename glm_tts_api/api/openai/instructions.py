"""OpenAI's field `instructions`. The model follows no instructions, but if they name a mood of the voice, the
voice speaks in that mood."""

from __future__ import annotations

import re

from glm_tts_api.api.app_state import AppState
from glm_tts_api.contracts import MOOD_SIGN, UploadedVoice, Voice, in_mood
from glm_tts_api.errors import quote
from speech_text.signs import has_hanzi


def moody_voice(
    voice: Voice | UploadedVoice, instructions: str | None, state: AppState, warnings: list[str]
) -> Voice | UploadedVoice:
    """Returns `voice` in the mood that `instructions` names. Returns `voice` as it is if `instructions` is
    None. Also returns it as it is, and adds a warning to `warnings` that says why, if `instructions` names no
    mood or several, if `voice` is a recording, or if `voice` has a mood already. Blocking. Raises the errors
    of VoiceStore.get."""
    if instructions is None:
        return voice
    name = voice.name if isinstance(voice, Voice) else None
    moods = [] if name is None or MOOD_SIGN in name else _moods(name, state)
    named = [mood for mood in moods if _names(instructions, mood)]
    if name is not None and len(named) == 1:
        return state.voices.get(in_mood(name, named[0]))
    warnings.append(f"'instructions' was ignored: {_why(name, moods, named)}.")
    return voice


def _moods(name: str, state: AppState) -> list[str]:
    return [mood.index.partition(MOOD_SIGN)[2] for mood in state.voices.info(name).moods]


def _names(instructions: str, mood: str) -> bool:
    """Whether `instructions` contains the name of the mood as a word, in upper or lower case. A name in Hanzi
    need not have blanks around it."""
    edge = "" if has_hanzi(mood) else r"\b"
    return re.search(f"{edge}{re.escape(mood)}{edge}", instructions, re.IGNORECASE) is not None


def _why(name: str | None, moods: list[str], named: list[str]) -> str:
    if name is None:
        return "a recording in the request has no moods"
    if MOOD_SIGN in name:
        return "the voice names its mood"
    if not moods:
        return f"voice '{quote(name)}' has no moods, and nothing else changes how it speaks"
    fault = "they name several of the moods" if named else "they name none of the moods"
    return f"{fault} that voice '{quote(name)}' has: {', '.join(moods)}"
