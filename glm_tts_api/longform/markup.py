"""Reads the spoken text of an XHTML page, however broken its markup is, and the elements of an EPUB's lists.
Works on strings only.

The pages are parsed by lxml. Its HTML parser reads what browsers show, takes linear time, and resolves no
entities but those of HTML.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from glm_tts_api.longform.script import Block, row_of
from speech_text.blocks import BlockKind, is_item, paragraphs

_CDATA = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.S)
_BLOCKS = re.compile(
    "address|article|aside|blockquote|body|caption|dd|div|dl|dt|figcaption|figure|footer|h[1-6]|header|hr|li|main"
    "|nav|ol|p|pre|section|table|tr|ul"
)
_UNSPOKEN = re.compile("head|script|style|svg|math|rt|rp|template|noscript|audio|video|object|iframe")
_UNSPOKEN_TYPES = re.compile(
    r"\b(?:doc-)?(?:noteref|footnotes?|endnotes?|rearnotes?|pagebreak|toc|landmarks|page-list|index|cover|titlepage"
    r"|copyright-page|biblioentry|backlink)\b"
)
_NOTE_CLASSES = re.compile(r"\b(?:noteref|footnotes?|endnotes?|footnote-?ref|pagenum|page-?number)\b", re.I)
_NOTE_MARK = re.compile(
    r"\s*[\[(（【〔［]?\s*(?:注|註|note)?\s*(?:\d{1,4}|[*†‡§]{1,3}|[①-⑳])\s*[\])）】〕］]?\s*"
)
_BRACKETED = re.compile(r"\s*[\[【〔［]\s*(?:注|註)?\s*\d{1,4}\s*[\]】〕］]\s*")
_VERSE = re.compile(r"verse|poem|poetry|stanza", re.I)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_CELL = "\0"  # stands before each cell of a table row until the row is closed
_MOST_MARK = 40  # the most characters of a footnote mark


def page_blocks(text: str) -> list[Block]:
    """Returns the blocks of an XHTML page that are read aloud. Footnotes and their marks, scripts, page
    numbers, code and hidden elements are left out."""
    reader = _Page()
    _parsed(text, etree.HTMLParser(target=reader, huge_tree=True))
    reader.close_block()
    return reader.found


def elements(text: str) -> Iterator[etree._Element]:
    """Yields the elements of a package document or a table of contents in order. Names are in lower case."""
    root = _parsed(text, etree.HTMLParser(huge_tree=True))
    yield from () if root is None else root.iter("*")


def _parsed(text: str, parser: etree.HTMLParser) -> etree._Element | None:
    parser.feed(_CDATA.sub(lambda section: html.escape(section[1]), text))
    try:
        root: etree._Element | None = parser.close()
    except etree.XMLSyntaxError:  # the text has no element
        return None
    return root


@dataclass(frozen=True, slots=True)
class _Open:
    """An open block. `counter` has the number of the next item of the innermost list; None where that list
    has bullets."""

    kind: BlockKind = "paragraph"
    rank: int = 0
    in_pre: bool = False
    counter: list[int] | None = None


@dataclass(slots=True)
class _Page:
    """Takes the elements and texts of a page from lxml's parser, which closes each element that it opens."""

    found: list[Block] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # the texts of the innermost block
    opened: list[_Open] = field(default_factory=lambda: [_Open()])
    number: str = ""  # the number of the open item, as it is spoken
    n_unspoken: int = 0  # the depth inside an element that is left out
    # For each open <a> or <sup>: the index in `said` where its text begins, and whether it links.
    marks: list[tuple[int, bool]] = field(default_factory=list)
    is_note: bool = False  # the open block begins with the mark of a footnote

    def data(self, text: str) -> None:
        if not self.n_unspoken:
            self.said.append(text if self.opened[-1].in_pre and "\n" in text else re.sub(r"\s+", " ", text))

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if self.n_unspoken or _is_unspoken(name, attributes, in_pre=self.opened[-1].in_pre):
            self.n_unspoken += 1
        elif name == "br":
            self.said.append("\n")
        elif name in ("a", "sup"):
            self.marks.append((len(self.said), "#" in attributes.get("href", "")))
        elif name in ("td", "th"):
            self.said.append(_CELL)
        elif _BLOCKS.fullmatch(name):
            self.close_block()
            self.open_block(name, attributes, self.opened[-1])

    def end(self, name: str) -> None:
        if self.n_unspoken:
            self.n_unspoken -= 1
        elif name in ("a", "sup"):
            if self.marks:
                self.end_mark(name, *self.marks.pop())
        elif _BLOCKS.fullmatch(name):
            self.close_block()
            self.opened.pop()
            if name in ("ol", "ul", "li"):
                self.number = ""

    def close(self) -> None:
        pass

    def open_block(self, name: str, attributes: Mapping[str, str], around: _Open) -> None:
        """Opens a block inside the block `around`. At an item of an <ol>, sets `number` to the text that a
        browser shows before the item ("3. "). At any other tag of a list, sets `number` to ""."""
        kind, rank, counter = around.kind, around.rank, around.counter
        if name in ("ol", "ul", "li"):
            self.number = ""
        if name in ("ol", "ul"):
            counter = [_whole(attributes.get("start", ""), 1)] if name == "ol" else None
        elif name == "li" and counter is not None:
            counter[0] = _whole(attributes.get("value", ""), counter[0])
            self.number = f"{counter[0]}. "
            counter[0] += 1
        if name[0] == "h" and name[1:].isdigit():
            kind, rank = "heading", int(name[1:])
        elif name in ("li", "tr"):
            kind, rank = "item", 0
        elif name == "pre" or _VERSE.search(f"{attributes.get('class')} {attributes.get('epub:type')}"):
            kind, rank = "verse", 0
        self.opened.append(_Open(kind, rank, around.in_pre or name == "pre", counter))

    def end_mark(self, name: str, start: int, is_link: bool) -> None:
        """Removes the text of an <a> or <sup>, which begins at the index `start` of `said`, if it is the mark
        of a footnote: a number that is a link or raised. If such a link begins the block, the block is taken
        for a footnote and left out."""
        text = "".join(self.said[start:])
        if len(text) > _MOST_MARK:
            return
        before = "".join(part[-_MOST_MARK:] for part in self.said[max(0, start - 3) : start])
        before = before.replace(_CELL, " ").rstrip()
        after_mark = bool(before) and not before[-1].isalnum()
        if (_NOTE_MARK.fullmatch(text) and (is_link or (name == "sup" and after_mark))) or (
            name == "sup" and _BRACKETED.fullmatch(text)
        ):
            self.is_note = self.is_note or (is_link and not before)
            del self.said[start:]

    def close_block(self) -> None:
        lines = [" ".join(line.split()) for line in "".join(self.said).split("\n")]
        text = "\n".join(filter(None, lines))
        if _CELL in text:
            text = row_of(" ".join(cell.split()) for cell in text.split(_CELL))
        is_note, self.is_note = self.is_note, False
        self.said, self.marks = [], []
        kind, rank = self.opened[-1].kind, self.opened[-1].rank
        if is_note or not any(map(str.isalnum, text)):
            return
        number, self.number = self.number, ""
        if kind == "paragraph":
            self.found += [Block(block.text, block.kind, block.rank) for block in paragraphs(text)]
        elif kind == "verse":
            self.found += [Block(line, "verse") for line in text.split("\n")]
        else:
            text = text.replace("\n", " ")
            self.found.append(Block(text if kind != "item" or is_item(text) else number + text, kind, rank))


def _whole(number: str, otherwise: int) -> int:
    return int(number) if re.fullmatch(r"\d{1,6}", number, re.A) else otherwise


def _is_unspoken(name: str, attributes: Mapping[str, str], *, in_pre: bool) -> bool:
    return (
        _UNSPOKEN.fullmatch(name) is not None
        or (name == "code" and in_pre)
        or _UNSPOKEN_TYPES.search(f"{attributes.get('epub:type')} {attributes.get('role')}") is not None
        or _NOTE_CLASSES.search(attributes.get("class", "")) is not None
        or attributes.get("aria-hidden") == "true"
        or _HIDDEN.search(attributes.get("style", "")) is not None
    )
