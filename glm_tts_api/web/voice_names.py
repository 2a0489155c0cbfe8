"""Voices by the names that other services have for theirs."""

from __future__ import annotations

from collections.abc import Mapping

from glm_tts_api.contracts import Voice
from glm_tts_api.errors import UnknownVoice
from glm_tts_api.voices.store import VoiceStore


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
