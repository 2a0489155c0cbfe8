"""The notes about a voice that are kept together with its transcript (consent, language, gender,
description), and the rules for each. Works on strings only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, get_args

from glm_tts_api.errors import InvalidField, TextTooLong, quote
from glm_tts_api.voices.transcript import check_consent

Language = Literal["zh", "en"]
Gender = Literal["female", "male", "other"]
About = Mapping[str, str]  # notes by their names; empty notes are left out
NONE: Final[About] = MappingProxyType({})
NOTES = ("consent", "language", "gender", "description")
_ALLOWED: Mapping[str, tuple[str, ...]] = {"language": get_args(Language), "gender": get_args(Gender)}
_MOST_CHARACTERS = 500


def check_about(notes: About) -> dict[str, str]:
    """Returns the notes without the blanks around them. An empty note stays in the result and means that the
    voice has no such note. Raises InvalidField for a language that is not zh or en or a gender that is
    not female, male or other; TextTooLong for a note of more than 500 characters."""
    return {name: _checked(name, text) for name, text in notes.items()}


def _checked(name: str, text: str) -> str:
    text = text.strip()
    if name == "consent":
        return check_consent(text)
    if text and name in _ALLOWED and text not in _ALLOWED[name]:
        raise InvalidField(f"{name} must be {' or '.join(_ALLOWED[name])}, not '{quote(text)}'.", name)
    if len(text) > _MOST_CHARACTERS:
        raise TextTooLong(
            f"{name} has {len(text)} characters; at most {_MOST_CHARACTERS} are possible.", name
        )
    return text
