"""The rules for a voice's name. Knows strings only."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from glm_tts_api.errors import InvalidField, UnknownVoice, quote

MOST_INDEX_CHARS = 64
INDEX_RULE = f"1 to {MOST_INDEX_CHARS} letters of any script, digits, _ and -"
_KINDS = ("L", "M", "Nd")  # letters, the marks on them, digits
_MOST_NAMED = 10  # of the voices there are, where one is unknown


def composed(name: str) -> str:
    """The name as it is kept: programs spell the same letters in two ways (Unicode's NFC and NFD)."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def is_index(name: str) -> bool:
    """Whether a voice may have this composed name."""
    return 0 < len(name) <= MOST_INDEX_CHARS and all(
        char in "_-" or unicodedata.category(char).startswith(_KINDS) for char in name
    )


def required_index(name: str) -> str:
    """The name, composed. Raises InvalidField."""
    index = composed(name) if len(name) <= 4 * MOST_INDEX_CHARS else ""
    if not is_index(index):
        raise InvalidField(f"index must be {INDEX_RULE}, not '{quote(name)}'.", "name")
    return index


def unknown_voice(index: str, names: Sequence[str]) -> UnknownVoice:
    """`names`: of the voices there are."""
    most, n_more = [*names[:_MOST_NAMED]], len(names) - _MOST_NAMED
    if n_more > 0:
        most.append(f"{n_more} more (GET /api/v1/prompts, GET /v1/audio/voices)")
    *most, last = most or ["none"]
    listed = f"{', '.join(most)} and {last}" if most else last
    return UnknownVoice(f"There is no voice '{quote(index)}'; there are {listed}.")
