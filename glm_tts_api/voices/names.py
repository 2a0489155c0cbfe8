"""The rules for the names of voices and moods. Works on strings only."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from glm_tts_api.contracts import MOOD_SIGN
from glm_tts_api.errors import InvalidField, UnknownMood, UnknownVoice, quote

MOST_INDEX_CHARS = 64
INDEX_RULE = f"1 to {MOST_INDEX_CHARS} letters of any script, digits, _ and -"
_KINDS = ("L", "M", "Nd")  # Unicode's categories of letters, of marks on letters, and of digits
_MOST_NAMED = 10  # voices that the message about an unknown voice lists


def composed(name: str) -> str:
    """Returns the name in Unicode's composed form (NFC), in which names are kept. Programs may send the
    decomposed form (NFD) of the same letters."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def is_name(name: str) -> bool:
    """Returns whether `name`, in composed form, is allowed for a voice or for a voice in a mood
    (`voice:mood`)."""
    voice, sign, mood = name.partition(MOOD_SIGN)
    return is_index(voice) and (not sign or is_index(mood))


def is_index(name: str) -> bool:
    """Returns whether `name`, in composed form, is allowed for a voice or for a mood alone."""
    return 0 < len(name) <= MOST_INDEX_CHARS and all(
        char in "_-" or unicodedata.category(char).startswith(_KINDS) for char in name
    )


def required_index(name: str) -> str:
    """Returns `name` in composed form if it is allowed for a voice or for a voice in a mood. Raises
    InvalidField otherwise."""
    index = composed(name) if len(name) <= 4 * MOST_INDEX_CHARS else ""
    if not is_name(index):
        raise InvalidField(f"index must be {INDEX_RULE}, not '{quote(name)}'.", "name")
    return index


def unknown_voice(index: str, names: Sequence[str]) -> UnknownVoice:
    """Returns the error for a name that no voice has. `names` are the voices that the message lists."""
    return UnknownVoice(f"There is no voice '{quote(index)}'; there are {_listed(names)}.")


def unknown_mood(voice: str, mood: str, moods: Sequence[str]) -> UnknownMood:
    """Returns the error for a mood that the voice does not have. `moods` are the moods that the message
    lists."""
    return UnknownMood(
        f"Voice '{quote(voice)}' has no mood '{quote(mood)}'; it has {_listed(moods)}.", "mood"
    )


def _listed(names: Sequence[str]) -> str:
    most, n_more = [*names[:_MOST_NAMED]], len(names) - _MOST_NAMED
    if n_more > 0:
        most.append(f"{n_more} more (GET /api/v1/prompts, GET /v1/audio/voices)")
    *most, last = most or ["none"]
    return f"{', '.join(most)} and {last}" if most else last
