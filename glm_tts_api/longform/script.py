"""The data types of a long text: a book has chapters, and a chapter has blocks (headings, paragraphs, items,
verse lines). Divides the blocks that the reader of a file format found into chapters. Works on strings
only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile

from speech_text.blocks import BlockKind as BlockKind
from speech_text.blocks import heading_rank

_CONTENTS = ("目录", "目 录", "contents", "table of contents")
_LEAST_CONTENTS = 3  # this many headings in a row are taken for a table of contents


@dataclass(frozen=True, slots=True)
class Cue:
    """The `number` of a subtitle in its file (from 1), its times in seconds, and the name of its `speaker`;
    empty if it names none."""

    number: int
    start_s: float
    end_s: float
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, list item or line of verse, with its `text` as written. `rank` is the level of a
    heading: 1 is the highest, and 0 means that the block is no heading. `chapter` is the title that a table
    of contents gives to the chapter that begins with this block; empty if no such title is known. `voice` is
    the name of the voice that speaks the block; None is the voice of the book. `cue` is the subtitle that the
    block is the text of."""

    text: str
    kind: BlockKind = "paragraph"
    rank: int = 0
    chapter: str = ""
    voice: str | None = None
    cue: Cue | None = None


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter of a book. `title` is for lists of chapters. The chapter's headings are spoken, so `blocks`
    has them too."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """A whole text. `title` and `author` are empty where the text does not name them."""

    chapters: tuple[Chapter, ...]
    title: str = ""
    author: str = ""


def book_of(found: Iterable[Block], title: str = "", author: str = "") -> Book:
    """Divides the blocks `found` in a text into chapters and returns them as a Book. A chapter begins at each
    heading of the chapter rank or a higher rank, and at each block that has a `chapter` title. Consecutive
    headings begin one chapter together. A table of contents is left out.

    The chapter rank is the most frequent rank of headings such as 第三章 or Chapter IV. Without such
    headings, it is the highest rank that occurs more than once, or else the highest rank.

    If `title` is empty, and the first block is the only heading of its rank and ranks above the chapters, its
    text becomes the book's title.
    """
    blocks = list(_without_contents(list(found)))
    named = Counter(block.rank for block in blocks if block.rank and heading_rank(block.text) == 2)
    counts = Counter(block.rank for block in blocks if block.rank)
    repeated = [rank for rank in counts if counts[rank] > 1]
    chapter_rank = named.most_common(1)[0][0] if named else min(repeated or counts or [0])
    if not title and blocks and 0 < blocks[0].rank < chapter_rank and counts[blocks[0].rank] == 1:
        title = blocks[0].text
    chapters: list[list[Block]] = []
    for block in blocks:
        begins = block.chapter or (block.rank and block.rank <= chapter_rank)
        if not chapters or (begins and not all(before.rank for before in chapters[-1])):
            chapters.append([])
        chapters[-1].append(block)
    return Book(tuple(_chapter(blocks, title, chapter_rank) for blocks in chapters), title, author)


def _chapter(blocks: Sequence[Block], book_title: str, rank: int) -> Chapter:
    begin = takewhile(lambda block: block.chapter or 0 < block.rank <= rank, blocks)
    titles = [block.chapter or block.text for block in begin]
    if len(titles) > 1 and titles[0] == book_title:
        titles = titles[1:]
    return Chapter(" ".join(titles), tuple(blocks))


def row_of(cells: Iterable[str]) -> str:
    """Joins the cells of a table row into the text that is spoken, with commas, or with Chinese commas if a
    cell is not ASCII. Cells without a letter or digit are left out; the result is empty if none is left."""
    said = [cell for cell in cells if any(map(str.isalnum, cell))]
    return ", ".join(said) if all(map(str.isascii, said)) else "，".join(said)


def _without_contents(blocks: Sequence[Block]) -> Iterator[Block]:
    """Yields the blocks without tables of contents. In a row of three or more consecutive headings, each
    heading that occurs again in the book is left out. Blocks that are no heading are left out if their text
    is empty, or is 目录, Contents or the like."""
    left = Counter(block.text for block in blocks if block.rank)
    for is_heading, group in groupby(blocks, key=lambda block: block.rank > 0):
        row = list(group)
        for block in row:
            left[block.text] -= is_heading
            comes_again = left[block.text] > 0 and len(row) >= _LEAST_CONTENTS
            if not comes_again if is_heading else block.text and block.text.lower() not in _CONTENTS:
                yield block
