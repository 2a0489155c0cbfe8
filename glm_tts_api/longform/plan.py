"""From a book to the units that are spoken: each block is cut between sentences. The same book and seed give
the same units. Knows strings only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from glm_tts_api.longform.job import Unit, seed_of
from glm_tts_api.longform.script import Block, Book
from glm_tts_api.text.cut.block_pauses import Pauses
from glm_tts_api.text.cut.incremental import SentenceSplitter
from glm_tts_api.text.cut.pieces import pieces
from glm_tts_api.text.cut.split import MAX_WEIGHT, MIN_WEIGHT, weight
from glm_tts_api.text.markup.marks import lasting_marks, without_marks

_LONGEST = 180  # characters; a short text by the default of TEXT_LENGTH_THRESHOLD
NO_MARKS: Final[Mapping[str, str]] = MappingProxyType({})
_PUSHED = 2000  # characters at a time: what the splitter holds is copied at each cut


def plan(
    book: Book, *, seed: int, pauses: Pauses, index: int = 0, marks: Mapping[str, str] = NO_MARKS
) -> Iterator[Unit]:
    """The units in their order from number `index` on; a block with nothing to say has none. Marks for the
    voice and the speed hold until the next one, as in a request, `marks` (as lasting_marks has them) from the
    start; a block with a voice of its own has that."""
    marks = dict(marks)
    for number, chapter in enumerate(book.chapters):
        backwards = reversed(range(len(chapter.blocks)))
        last = next((place for place in backwards if _is_said(chapter.blocks[place].text)), None)
        for place, block in enumerate(chapter.blocks):
            pause_s, texts = pauses.after(block.kind, ends_chapter=place == last), _texts(block)
            for at, text in enumerate(texts, start=1):
                held = "".join(
                    f"[[{name} {value}]]"
                    for name, value in marks.items()
                    if value and not (name == "voice" and block.voice)
                )
                marks |= lasting_marks(text)
                silence_s = pause_s if at == len(texts) else pauses.within(without_marks(text))
                unit_seed = seed_of(seed, index)
                yield Unit(index, number, place, block.kind, held + text, block.voice, unit_seed, silence_s)
                index += 1


def _texts(block: Block) -> list[str]:
    return list(filter(_is_said, cut(block.text)))


def _is_said(text: str) -> bool:
    return any(map(str.isalnum, without_marks(text)))


def cut(text: str) -> Iterator[str]:
    """A block in pieces of about a segment each: whole sentences, of which short ones stay together."""
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
    """All of `text` in its sentences, those beyond _LONGEST in pieces."""
    splitter = SentenceSplitter()
    for start in range(0, len(text), _PUSHED):
        for sentence in splitter.push(text[start : start + _PUSHED]):
            yield from pieces(sentence, _LONGEST)
        if splitter.n_waiting > _PUSHED:
            yield from pieces(splitter.flush(), _LONGEST)
    yield from pieces(splitter.flush(), _LONGEST)
