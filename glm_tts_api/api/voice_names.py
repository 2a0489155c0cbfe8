"""Voices by the names that other services have for theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from glm_tts_api.api.app_state import AppState
from glm_tts_api.contracts import Voice
from glm_tts_api.errors import UnknownVoice
from glm_tts_api.text.markup.marks import voices_in
from glm_tts_api.voices.store import VoiceStore


async def marked_voices(text: str, state: AppState) -> dict[str, Voice]:
    """The voices that marks in the text call for. Raises UnknownVoice."""
    return await state.pools.files.run(lambda: named_voices(voices_in(text), state))


def named_voices(names: Iterable[str], state: AppState) -> dict[str, Voice]:
    """The voice of each name that is not empty. Blocking. Raises UnknownVoice."""
    wanted = filter(None, dict.fromkeys(names))
    return {name: named_voice(name, state.config.openai_voices, state.voices) for name in wanted}


def named_voice(name: str, aliases: Mapping[str, str], voices: VoiceStore) -> Voice:
    """The registered voice of that name, else the one that `aliases` gives the name to. Blocking.

    Raises UnknownVoice.
    """
    try:
        return voices.get(name)
    except UnknownVoice:
        if name not in aliases:
            raise
        return voices.get(aliases[name])
