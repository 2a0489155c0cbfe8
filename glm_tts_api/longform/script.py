"""A long text as it is spoken: a book has chapters, a chapter has blocks. Knows no files and no audio."""

from __future__ import annotations

from dataclasses import dataclass

from glm_tts_api.text.cut.paragraphs import BlockKind as BlockKind


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, list item or line of verse: `text` as written. `voice`: the voice of its speaker;
    None is the voice of the book."""

    text: str
    kind: BlockKind = "paragraph"
    voice: str | None = None


@dataclass(frozen=True, slots=True)
class Chapter:
    """`title`: as a list of chapters shows it. Headings are spoken: they are among the blocks too."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """`title` and `author` are empty where the text does not name them."""

    chapters: tuple[Chapter, ...]
    title: str = ""
    author: str = ""
