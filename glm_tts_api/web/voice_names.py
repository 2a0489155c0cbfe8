"""Voices by the names that other services have for theirs."""

from __future__ import annotations

from collections.abc import Mapping

from glm_tts_api.contracts import Voice
from glm_tts_api.errors import UnknownVoice
from glm_tts_api.text.markup import voices_in
from glm_tts_api.voices.store import VoiceStore
from glm_tts_api.web.app_state import AppState


async def marked_voices(text: str, state: AppState) -> dict[str, Voice]:
    """The voices that marks in the text call for. Raises UnknownVoice."""
    names = [name for name in voices_in(text) if name]
    return await state.pools.files.run(_named_voices, names, state) if names else {}


def _named_voices(names: list[str], state: AppState) -> dict[str, Voice]:
    return {name: named_voice(name, state.config.openai_voices, state.voices) for name in names}


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
