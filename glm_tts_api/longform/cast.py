"""Reads the request fields `cast` and `pauses`, and gives each block of a book its speaker: in lines such as
`小王：你好。` or `Tom: Hello.` the name before the colon is looked up in the cast, a table from names to
voices. Works on strings only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Annotated

import msgspec
from msgspec import Meta

from glm_tts_api.errors import InvalidField, quote
from glm_tts_api.longform.script import Block, Book
from speech_text import Pauses

NARRATORS = ("旁白", "narrator")
MOST_NAMES, MOST_NAME = 200, 40  # the most names of a cast; the most characters of a name
_MOST_JSON = 100_000  # characters of a cast as text
_MOST_PAUSES_JSON = 1000  # characters of pauses as text; longer text is cut, and so is no JSON
_KINDS = tuple(field.name for field in fields(Pauses))
_Seconds = Annotated[float, Meta(ge=0, le=Pauses.LONGEST_S)]
# A name, an optional remark in brackets on how the line is said, a colon, and the spoken text.
_LINE = re.compile(
    rf"\s*([^：:（(\n]{{1,{MOST_NAME}}}?)\s*(?:[（(][^（()）\n]{{0,60}}[)）]\s*)?[：:]\s*(.*)", re.S
)


def read_cast(data: str | Mapping[str, object]) -> dict[str, str]:
    """Checks a cast and returns it as a dictionary from names to voices. `data` is the JSON text of an object
    or the object itself, as in {"旁白": "exampleA", "小王": "exampleB"}. Raises InvalidField (`cast`)."""
    if isinstance(data, str) and len(data) > _MOST_JSON:
        raise _refused(f"has more than {_MOST_JSON} characters")
    try:
        cast = msgspec.json.decode(data) if isinstance(data, str) else data
    except (ValueError, RecursionError):
        raise _refused("is no JSON") from None
    if not isinstance(cast, Mapping) or len(cast) > MOST_NAMES:
        raise _refused(f"is an object of at most {MOST_NAMES} names")
    for name, voice in cast.items():
        if not name.strip() or len(name) > MOST_NAME or any(sign in name for sign in "：:\n"):
            raise _refused(f"has the name {quote(name)}: a name has 1 to {MOST_NAME} characters and no colon")
        if not isinstance(voice, str) or not voice.strip():
            raise _refused(f"has no voice for {quote(name)}")
    return {name: str(voice) for name, voice in cast.items()}


def give_voices(book: Book, cast: Mapping[str, str]) -> Book:
    """Returns `book` with a voice for each block. A block that begins with a name of the cast and a colon
    gets the voice of that name. The name, the colon and a remark in brackets between the two are removed from
    the block's text. A heading is never read as such a line. All other blocks get the voice of the cast's
    旁白 or narrator, or None if the cast has neither. Names match without regard to case.

    A block that is only a name and a colon is removed. The block after it gets the voice of that name, unless
    the next block names a speaker itself. A subtitle whose format names its speaker gets the voice of that
    name, and its text stays.
    """
    voices = {_key(name): (name, voice) for name, voice in cast.items()}
    narrator = next((voices[name][1] for name in NARRATORS if name in voices), None)
    return replace(
        book,
        chapters=tuple(
            replace(chapter, blocks=tuple(_spoken(chapter.blocks, voices, narrator)))
            for chapter in book.chapters
        ),
    )


def names_speaker(line: str, cast: Mapping[str, str]) -> bool:
    """Whether `line` begins with a name of the cast and a colon."""
    found = _LINE.fullmatch(line)
    return found is not None and _key(found[1]) in map(_key, cast)


def _spoken(
    blocks: Sequence[Block], voices: Mapping[str, tuple[str, str]], narrator: str | None
) -> Iterator[Block]:
    voice, named = narrator, ""
    for block in blocks:
        own, text = block.cue.speaker if block.cue else "", block.text
        line = None if own or block.kind == "heading" else _LINE.fullmatch(text)
        name = line[1] if line else own
        if (speaker := voices.get(_key(name))) is not None:
            (named, voice), text = speaker, line[2] if line else text
        if text.strip():
            cue = block.cue and replace(block.cue, speaker=named or own)
            yield replace(block, text=text, voice=voice, cue=cue)
            voice, named = narrator, ""


def _key(name: str) -> str:
    return name.strip().casefold()


def _refused(fault: str) -> InvalidField:
    return InvalidField(f'cast {fault}: send {{"旁白": "exampleA", "小王": "exampleB"}}.', param="cast")


def read_pauses(data: str | Mapping[str, object]) -> Pauses:
    """Returns the pauses that `data` sets. `data` has the seconds of each kind of block, as JSON or as an
    object: {"paragraph": 0.6, "chapter": 3}. A kind that is not named keeps its default. Raises InvalidField
    (`pauses`)."""
    try:
        given = msgspec.json.decode(data[:_MOST_PAUSES_JSON]) if isinstance(data, str) else data
        return Pauses(**msgspec.convert(given, dict[str, _Seconds]))
    except (ValueError, RecursionError, TypeError):  # TypeError: for a kind that Pauses does not have
        raise InvalidField(
            f"pauses gives seconds from 0 to {Pauses.LONGEST_S:g} to {', '.join(_KINDS[:-1])} or "
            f'{_KINDS[-1]}, as in {{"paragraph": 0.6}}.',
            param="pauses",
        ) from None
