"""The rules for a recording's transcript and for the consent to its use, wherever they come from: a request,
a file. Knows strings only."""

from __future__ import annotations

import unicodedata

from glm_tts_api.errors import InvalidField, TextTooLong

MAX_CHARACTERS = 500
"""A recording of 30 s has room for no more; PROMPT_MAX_CHARACTERS."""
_MAX_CONSENT_CHARACTERS = 500


def check_transcript(text: str, max_characters: int = MAX_CHARACTERS, *, field: str = "prompt_text") -> str:
    """`text`, which came in `field`, without the blanks round it. Raises InvalidField where it is blank, and
    TextTooLong where it has more than `max_characters`, as it stands or with its compound signs (one may
    stand for 18) written out."""
    text = text.strip()
    if not text:
        raise InvalidField(f"{field} must be the recording's exact transcript; it is blank.", field)
    length = len(text)
    if length <= max_characters:
        length = len(unicodedata.normalize("NFKC", text))
    if length > max_characters:
        raise TextTooLong(
            f"{field} has {length} characters; at most {max_characters} are possible "
            "(PROMPT_MAX_CHARACTERS). It must say what the recording says and no more.",
            field,
        )
    return text


def check_consent(text: str) -> str:
    """`text` without the blanks round it; blank is none. Raises TextTooLong."""
    text = text.strip()
    if len(text) > _MAX_CONSENT_CHARACTERS:
        raise TextTooLong(
            f"consent has {len(text)} characters; at most {_MAX_CONSENT_CHARACTERS} are possible. Keep the "
            "whole text elsewhere and say here where it is.",
            "consent",
        )
    return text
