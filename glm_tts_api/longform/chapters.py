"""The chapters of a row of blocks. Knows strings only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from glm_tts_api.longform.script import Block, Book, Chapter
from glm_tts_api.text.cut.paragraphs import BlockKind, heading_rank

_CONTENTS = ("目录", "目 录", "contents", "table of contents")
_LEAST_CONTENTS = 3  # headings in a row are a table of contents


@dataclass(frozen=True, slots=True)
class Found:
    """A block as a reader found it. `rank` of a heading: 1 is the highest, 0 is none. `chapter`: the title of
    a chapter that begins here although no heading says so."""

    text: str
    kind: BlockKind = "paragraph"
    rank: int = 0
    chapter: str = ""


def book_of(found: Iterable[Found], title: str = "", author: str = "") -> Book:
    """A book, whose chapters begin at the headings of one rank and of those above it: the rank of most
    lines such as 第三章 or Chapter IV, else the highest that is there twice. Headings in a row begin one
    chapter together, and a table of contents is left out."""
    blocks = _without_contents(list(found))
    ranks = [block.rank for block in blocks if block.rank]
    named = Counter(block.rank for block in blocks if block.rank and heading_rank(block.text) == 2)
    counts = Counter(ranks)
    repeated = [rank for rank in counts if counts[rank] > 1]
    chapter_rank = named.most_common(1)[0][0] if named else min(repeated or ranks or [0])
    if (
        not title
        and blocks
        and blocks[0].rank
        and blocks[0].rank < chapter_rank
        and counts[blocks[0].rank] == 1
    ):
        title = blocks[0].text
    chapters: list[list[Found]] = []
    for block in blocks:
        begins = block.chapter or (block.rank and block.rank <= chapter_rank)
        if not chapters or (begins and not all(before.rank for before in chapters[-1])):
            chapters.append([])
        chapters[-1].append(block)
    return Book(tuple(_chapter(blocks, title, chapter_rank) for blocks in chapters), title, author)


def _chapter(blocks: Sequence[Found], book_title: str, rank: int) -> Chapter:
    begin = takewhile(lambda block: block.chapter or 0 < block.rank <= rank, blocks)
    titles = [block.chapter or block.text for block in begin]
    if len(titles) > 1 and titles[0] == book_title:
        titles = titles[1:]
    return Chapter(" ".join(titles), tuple(Block(block.text, block.kind) for block in blocks))


def row_of(cells: Iterable[str]) -> str:
    """The spoken text of a row of a table; empty where no cell has anything to say."""
    said = [cell for cell in cells if any(map(str.isalnum, cell))]
    return ", ".join(said) if all(map(str.isascii, said)) else "，".join(said)


def _without_contents(blocks: Sequence[Found]) -> list[Found]:
    """Without the headings that stand in a row of three or more and come again later."""
    times = Counter(block.text for block in blocks if block.rank)
    kept, row = list[Found](), list[Found]()
    for block in [*blocks, Found("")]:
        if block.rank:
            row.append(block)
            continue
        is_contents = len(row) >= _LEAST_CONTENTS
        kept += [heading for heading in row if not (is_contents and _counted_down(times, heading.text))]
        row = []
        if block.text and block.text.lower() not in _CONTENTS:
            kept.append(block)
    return kept


def _counted_down(times: Counter[str], text: str) -> bool:
    """Whether a heading comes again after this one."""
    times[text] -= 1
    return times[text] > 0
