"""Cuts a book into the units that are spoken one by one: each block of the book is cut between its sentences.
The same book and seed give the same units. Works on strings only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from glm_tts_api.longform.job import Unit, seed_of
from glm_tts_api.longform.script import Book
from speech_text import Pauses, utterances
from speech_text.marks import MOOD_SIGN, lasting_marks, without_marks

NO_MARKS: Final[Mapping[str, str]] = MappingProxyType({})


def plan(
    book: Book, *, seed: int, pauses: Pauses, index: int = 0, marks: Mapping[str, str] = NO_MARKS
) -> Iterator[Unit]:
    """Yields the units of `book` in order; the first has the number `index`. A block without a letter or
    digit gives no unit. `seed` is the job's seed, and `pauses` are the silences after blocks and sentences.

    A mark in the text that sets the voice or the speed holds until the next such mark, as in a request.
    `marks` are the marks that hold at the start, from name to value, as `lasting_marks` returns them. A block
    with a voice of its own is not changed by a voice mark in an earlier block. A mark for the mood of such a
    block's voice holds to the end of the block.
    """
    marks = dict(marks)
    for number, chapter in enumerate(book.chapters):
        backwards = reversed(range(len(chapter.blocks)))
        last = next((place for place in backwards if _is_said(chapter.blocks[place].text)), None)
        for place, block in enumerate(chapter.blocks):
            pause_s = pauses.after(block.kind, ends_chapter=place == last)
            texts = list(filter(_is_said, utterances(block.text)))
            mood = ""  # the voice with the mood that a mark asked for, if the block has a voice of its own
            for at, text in enumerate(texts, start=1):
                now = {**marks, "voice": mood} if block.voice else dict(marks)
                held = "".join(f"[[{name} {value}]]" for name, value in now.items() if value.strip(MOOD_SIGN))
                lasting = lasting_marks(text, now.get("voice", ""))
                mood = lasting.get("voice", mood)
                if block.voice and mood.startswith(MOOD_SIGN):
                    lasting.pop("voice", None)
                else:
                    mood = ""
                marks |= lasting
                silence_s = pause_s if at == len(texts) else pauses.within(without_marks(text))
                unit_seed = seed_of(seed, index)
                yield Unit(index, number, place, block.kind, held + text, block.voice, unit_seed, silence_s)
                index += 1


def _is_said(text: str) -> bool:
    return any(map(str.isalnum, without_marks(text)))
