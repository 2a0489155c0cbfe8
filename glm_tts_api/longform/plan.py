"""Cuts a book into the units that are spoken one by one: each block of the book is cut between its sentences.
The same book and seed give the same units. Works on strings only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from glm_tts_api.contracts import MOOD_SIGN
from glm_tts_api.longform.job import Unit, seed_of
from glm_tts_api.longform.script import Block, Book
from speech_text.cut.block_pauses import Pauses
from speech_text.cut.incremental import SentenceSplitter
from speech_text.cut.pieces import pieces
from speech_text.cut.split import MAX_WEIGHT, MIN_WEIGHT, weight
from speech_text.markup.marks import lasting_marks, without_marks

_LONGEST = 180  # characters of a unit; such a text is short by the default of TEXT_LENGTH_THRESHOLD
NO_MARKS: Final[Mapping[str, str]] = MappingProxyType({})
_PUSHED = 2000  # characters given to the splitter at a time; each cut copies the text in the splitter


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
            pause_s, texts = pauses.after(block.kind, ends_chapter=place == last), _texts(block)
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


def _texts(block: Block) -> list[str]:
    return list(filter(_is_said, cut(block.text)))


def _is_said(text: str) -> bool:
    return any(map(str.isalnum, without_marks(text)))


def cut(text: str) -> Iterator[str]:
    """Cuts the text of a block into pieces of about one segment each. A piece has whole sentences, and short
    sentences stay together. Only a sentence of more than 180 characters is cut inside."""
    together, weighs = "", 0.0
    for sentence in _sentences(text):
        heavy = weight(sentence)
        if together and (weighs >= MIN_WEIGHT or weighs + heavy > MAX_WEIGHT or _longer(together, sentence)):
            yield together.strip()
            together, weighs = "", 0.0
        together, weighs = together + sentence, weighs + heavy
    if together.strip():
        yield together.strip()


def _longer(together: str, sentence: str) -> bool:
    return len(together) + len(sentence) > _LONGEST


def _sentences(text: str) -> Iterator[str]:
    """Yields the sentences of `text`. A sentence longer than 180 characters comes in several pieces."""
    splitter = SentenceSplitter()
    for start in range(0, len(text), _PUSHED):
        for sentence in splitter.push(text[start : start + _PUSHED]):
            yield from pieces(sentence, _LONGEST)
        if splitter.n_waiting > _PUSHED:
            yield from pieces(splitter.flush(), _LONGEST)
    yield from pieces(splitter.flush(), _LONGEST)
