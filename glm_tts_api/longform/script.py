"""The data types of a long text: a book has chapters, and a chapter has blocks. Knows no files and no
audio."""

from __future__ import annotations

from dataclasses import dataclass

from speech_text.cut.paragraphs import BlockKind as BlockKind


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, list item or line of verse, with its `text` as written. `voice` is the name of
    the voice that speaks the block; None is the voice of the book."""

    text: str
    kind: BlockKind = "paragraph"
    voice: str | None = None


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
