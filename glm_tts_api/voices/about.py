"""The rules for the name of a voice or mood, for its transcript, and for the notes that are kept with them
(consent, language, gender, description), both in requests and in files. Works on strings only."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal, get_args

from glm_tts_api.errors import InvalidField, TextTooLong, UnknownMood, UnknownVoice, quote
from speech_text.marks import MOOD_SIGN

MOST_INDEX_CHARS = 64
INDEX_RULE = f"1 to {MOST_INDEX_CHARS} letters of any script, digits, _ and -"
_KINDS = ("L", "M", "Nd")  # Unicode's categories of letters, of marks on letters, and of digits
_MOST_NAMED = 10  # voices that the message about an unknown voice lists

Language = Literal["zh", "en"]
Gender = Literal["female", "male", "other"]
About = Mapping[str, str]  # notes by their names; empty notes are left out
NONE: Final[About] = MappingProxyType({})
NOTES = ("consent", "language", "gender", "description")
ALLOWED: Mapping[str, tuple[str, ...]] = {"language": get_args(Language), "gender": get_args(Gender)}
_MOST_CHARACTERS = 500  # of a note
MAX_CHARACTERS = 500  # a recording of 30 s has room for no more


def check_about(notes: About) -> dict[str, str]:
    """Returns the notes without the blanks around them. An empty note stays in the result and means that the
    voice has no such note. Raises InvalidField for a text outside ALLOWED, TextTooLong for a long one."""
    return {name: _checked(name, text) for name, text in notes.items()}


def _checked(name: str, text: str) -> str:
    text = text.strip()
    if text and name in ALLOWED and text not in ALLOWED[name]:
        raise InvalidField(f"{name} must be {' or '.join(ALLOWED[name])}, not '{quote(text)}'.", name)
    if len(text) > _MOST_CHARACTERS:
        elsewhere = " Keep the whole text elsewhere and say here where it is." if name == "consent" else ""
        raise TextTooLong(
            f"{name} has {len(text)} characters; at most {_MOST_CHARACTERS} are possible.{elsewhere}", name
        )
    return text


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
            "(with PROMPT_MAX_SECONDS as set). It must say what the recording says and no more.",
            field,
        )
    return text


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
