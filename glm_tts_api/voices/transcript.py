"""The rules for a recording's transcript and for the note of consent, both for requests and for files. Works
on strings only."""

from __future__ import annotations

import unicodedata

from glm_tts_api.errors import InvalidField, TextTooLong

MAX_CHARACTERS = 500
"""The default of PROMPT_MAX_CHARACTERS: a recording of 30 s has room for no more."""
_MAX_CONSENT_CHARACTERS = 500


def check_transcript(text: str, max_characters: int = MAX_CHARACTERS, *, field: str = "prompt_text") -> str:
    """Returns the transcript `text` without the blanks around it. `field` names the request's field in error
    messages. Raises InvalidField if the text is blank, and TextTooLong if it has more than `max_characters`
    characters. The limit holds for the text as sent and for its NFKC form, in which one sign can become 18
    characters."""
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
    """Returns the consent `text` without the blanks around it. Blank text means no consent was noted. Raises
    TextTooLong."""
    text = text.strip()
    if len(text) > _MAX_CONSENT_CHARACTERS:
        raise TextTooLong(
            f"consent has {len(text)} characters; at most {_MAX_CONSENT_CHARACTERS} are possible. Keep the "
            "whole text elsewhere and say here where it is.",
            "consent",
        )
    return text
