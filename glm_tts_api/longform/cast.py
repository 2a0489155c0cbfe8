"""Finds the speaker of each block of a book: lines such as `小王：你好。` or `Tom: Hello.` and a cast. Knows
strings only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import msgspec

from glm_tts_api.errors import InvalidField, quote
from glm_tts_api.longform.script import Block, Book

NARRATORS = ("旁白", "narrator")
MOST_NAMES, MOST_NAME = 200, 40  # names of a cast; characters of a name
# The name, perhaps with how it is said in brackets, a colon, and the rest.
_LINE = re.compile(
    rf"\s*([^：:（(\n]{{1,{MOST_NAME}}}?)\s*(?:[（(][^（()）\n]{{0,60}}[)）]\s*)?[：:]\s*(.*)", re.S
)


def read_cast(data: str | Mapping[str, object]) -> dict[str, str]:
    """A cast as JSON or as an object, {"旁白": "exampleA", "小王": "exampleB"}: names and their voices.
    Raises InvalidField (`cast`)."""
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
    """`book` with a voice for each block whose line begins with a name of the cast; the name is not spoken.
    All other blocks have the voice of 旁白 or narrator, where the cast has one. A name counts in capitals
    or small letters alike; a name alone on its line speaks the block below it."""
    voices = {_key(name): voice for name, voice in cast.items()}
    narrator = next((voices[name] for name in NARRATORS if name in voices), None)
    return replace(
        book,
        chapters=tuple(
            replace(chapter, blocks=tuple(_spoken(chapter.blocks, voices, narrator)))
            for chapter in book.chapters
        ),
    )


def _spoken(blocks: Sequence[Block], voices: Mapping[str, str], narrator: str | None) -> Iterator[Block]:
    voice = narrator
    for block in blocks:
        line = _LINE.fullmatch(block.text) if block.kind != "heading" else None
        speaker = voices.get(_key(line[1])) if line else None
        if line and speaker is not None:
            voice, text = speaker, line[2]
        else:
            text = block.text
        if text.strip():
            yield replace(block, text=text, voice=voice)
            voice = narrator


def _key(name: str) -> str:
    return name.strip().casefold()


def _refused(fault: str) -> InvalidField:
    return InvalidField(f'cast {fault}: send {{"旁白": "exampleA", "小王": "exampleB"}}.', param="cast")
