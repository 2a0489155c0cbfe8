"""Splits XML and XHTML into tags and texts, however broken the markup is, and reads the spoken text of an
XHTML page. Works on strings only.

The standard library's html.parser takes time that grows with the square of a page of unclosed tags (20,000 of
`<a `: 77 s), and its XML parsers refuse pages that browsers show. This module looks at each character once,
and resolves no entities but those of HTML.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from glm_tts_api.longform.chapters import Found, row_of
from speech_text.cut.paragraphs import BlockKind, is_item, paragraphs

_TAG = re.compile(r"""<(/?)([A-Za-z][^\s/>]{0,99}+)((?:[^>"']|"[^"]*"|'[^']*')*+)>""")
_TAG_TO_THE_NEXT_END = re.compile(r"<(/?)([A-Za-z][^\s/>]{0,99}+)([^>]*+)>")
_ATTRIBUTE = re.compile(
    r"""(?<![^\s=/"'<>])([^\s=/"'<>]{1,99}+)\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s"'<>=]+))"""
)
_VOID = re.compile("area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr")
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
_MOST_OPEN = 200  # the deepest nesting; an element that is nested deeper counts as text of its parent
_CELL = "\0"  # stands before each cell of a table row until the row is closed
_MOST_MARK = 40  # the most characters of a footnote mark


@dataclass(frozen=True, slots=True)
class Tag:
    """A start or end tag. `opens` and `closes` are both true for an empty element such as <br/>."""

    name: str
    attributes: dict[str, str]
    opens: bool
    closes: bool

    def get(self, name: str) -> str:
        return self.attributes.get(name, "")


def tokens(text: str) -> Iterator[Tag | str]:
    """Yields the tags and texts of `text` in order. Names are in lower case; comments and declarations are
    skipped. A comment or tag without an end reaches to the end of the page. After a tag with an unclosed
    quote, every tag ends at the next `>`."""
    at, tag_pattern = 0, _TAG
    while (start := text.find("<", at)) >= 0:
        if start > at:
            yield html.unescape(text[at:start])
        if text.startswith("<!--", start):
            at = _behind(text, "-->", start)
        elif text.startswith("<![CDATA[", start):
            at = _behind(text, "]]>", start)
            yield text[start + 9 : at].removesuffix("]]>")
        elif text.startswith(("<!", "<?"), start):
            at = _behind(text, ">", start)
        elif text[start + 1 : start + 2].isalpha() or text.startswith("</", start):
            tag = tag_pattern.match(text, start)
            if tag is None and tag_pattern is _TAG:  # the search has looked at all of the text
                tag_pattern = _TAG_TO_THE_NEXT_END
                tag = tag_pattern.match(text, start)
            at = tag.end() if tag else _behind(text, ">", start)
            if tag:
                yield _tag(tag)
        else:
            yield "<"
            at = start + 1
    if at < len(text):
        yield html.unescape(text[at:])


def _behind(text: str, end: str, start: int) -> int:
    found = text.find(end, start)
    return found + len(end) if found >= 0 else len(text)


def _tag(found: re.Match[str]) -> Tag:
    name = found[2].lower()
    if found[1]:
        return Tag(name, {}, opens=False, closes=True)
    attributes = {
        part[1].lower(): html.unescape(part[2] or part[3] or part[4] or "")
        for part in _ATTRIBUTE.finditer(found[3])
    }
    return Tag(
        name,
        attributes,
        opens=True,
        closes=_VOID.fullmatch(name) is not None or found[3].rstrip().endswith("/"),
    )


def page_blocks(text: str) -> list[Found]:
    """Returns the blocks of an XHTML page that are read aloud. Footnotes and their marks, scripts, page
    numbers, code and hidden elements are left out."""
    reader = _Page()
    for token in tokens(text):
        if isinstance(token, str):
            reader.say(token)
        else:
            reader.tag(token)
    reader.close_block()
    return reader.found


@dataclass(slots=True)
class _Page:
    found: list[Found] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # the texts of the open block
    names: list[str] = field(default_factory=list)  # the names of the open elements
    kinds: list[tuple[BlockKind, int]] = field(default_factory=lambda: [("paragraph", 0)])
    # For each open list the number of its next item; None for a list with bullets.
    numbers: list[int | None] = field(default_factory=list)
    number: str = ""  # the number of the open item, as it is spoken
    unspoken: str = ""  # the name of the open element that is left out; empty where none is
    n_unspoken: int = 0  # how many elements of that name are open
    # For each open <a> or <sup>: its name, the index in `said` where its text begins, and whether it links.
    marks: list[tuple[str, int, bool]] = field(default_factory=list)
    is_note: bool = False  # the open block begins with the mark of a footnote

    def say(self, text: str) -> None:
        if not self.unspoken and text:
            keep = "pre" in self.names and "\n" in text
            self.said.append(text if keep else re.sub(r"\s+", " ", text))

    def tag(self, tag: Tag) -> None:
        if self.unspoken:
            self.n_unspoken += (tag.name == self.unspoken) * (tag.opens - tag.closes)
            self.unspoken = self.unspoken if self.n_unspoken > 0 else ""
        elif tag.opens and _is_unspoken(tag, self.names):
            if not tag.closes:
                self.unspoken, self.n_unspoken = tag.name, 1
        elif tag.name == "br":
            self.said.append("\n")
        elif tag.name in ("a", "sup"):
            self.mark(tag)
        elif tag.name in ("td", "th"):
            self.said.append(_CELL)
        elif _BLOCKS.fullmatch(tag.name):
            self.close_block()
            self.count(tag)
            if not tag.closes and len(self.names) < _MOST_OPEN:
                self.names.append(tag.name)
                self.kinds.append(_kind(tag, self.kinds[-1]))
            elif not tag.opens and tag.name in self.names:
                place = len(self.names) - 1 - self.names[::-1].index(tag.name)
                del self.names[place:], self.kinds[place + 1 :]

    def count(self, tag: Tag) -> None:
        """Takes the next tag of the page and numbers the list items. At an item of an <ol>, sets `number` to
        the text that a browser shows before the item ("3. "). At any other tag of a list, sets `number` to
        ""."""
        if tag.name not in ("ol", "ul", "li"):
            return
        self.number = ""
        if tag.name != "li":
            if tag.opens and not tag.closes and len(self.numbers) < _MOST_OPEN:
                self.numbers.append(_whole(tag.get("start"), 1) if tag.name == "ol" else None)
            elif not tag.opens and self.numbers:
                self.numbers.pop()
        elif tag.opens and self.numbers and self.numbers[-1] is not None:
            number = _whole(tag.get("value"), self.numbers[-1])
            self.number, self.numbers[-1] = f"{number}. ", number + 1

    def mark(self, tag: Tag) -> None:
        """Takes an <a> or <sup> tag. At a start tag, notes where its text begins. At an end tag, removes that
        text if it is the mark of a footnote: a number that is a link or raised. If such a link begins the
        block, the block is taken for a footnote and left out."""
        if tag.opens:
            if len(self.marks) < _MOST_OPEN and not tag.closes:
                self.marks.append((tag.name, len(self.said), "#" in tag.get("href")))
            return
        if not self.marks or self.marks[-1][0] != tag.name:
            return
        _, start, is_link = self.marks.pop()
        text = "".join(self.said[start:])
        if len(text) > _MOST_MARK:
            return
        before = "".join(part[-_MOST_MARK:] for part in self.said[max(0, start - 3) : start])
        before = before.replace(_CELL, " ").rstrip()
        after_mark = bool(before) and not before[-1].isalnum()
        if (_NOTE_MARK.fullmatch(text) and (is_link or (tag.name == "sup" and after_mark))) or (
            tag.name == "sup" and _BRACKETED.fullmatch(text)
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
        kind, rank = self.kinds[-1]
        if is_note or not any(map(str.isalnum, text)):
            return
        number, self.number = self.number, ""
        if kind == "paragraph":
            self.found += [Found(block.text, block.kind, block.rank) for block in paragraphs(text)]
        elif kind == "verse":
            self.found += [Found(line, "verse") for line in text.split("\n")]
        else:
            text = text.replace("\n", " ")
            self.found.append(Found(text if kind != "item" or is_item(text) else number + text, kind, rank))


def _whole(number: str, otherwise: int) -> int:
    return int(number) if re.fullmatch(r"\d{1,6}", number, re.A) else otherwise


def _is_unspoken(tag: Tag, names: list[str]) -> bool:
    kinds = f"{tag.get('epub:type')} {tag.get('role')}"
    return (
        _UNSPOKEN.fullmatch(tag.name) is not None
        or (tag.name == "code" and "pre" in names)
        or _UNSPOKEN_TYPES.search(kinds) is not None
        or _NOTE_CLASSES.search(tag.get("class")) is not None
        or tag.get("aria-hidden") == "true"
        or _HIDDEN.search(tag.get("style")) is not None
    )


def _kind(tag: Tag, around: tuple[BlockKind, int]) -> tuple[BlockKind, int]:
    if tag.name[0] == "h" and tag.name[1:].isdigit():
        return "heading", int(tag.name[1:])
    if tag.name in ("li", "tr"):
        return "item", 0
    if tag.name == "pre" or _VERSE.search(f"{tag.get('class')} {tag.get('epub:type')}"):
        return "verse", 0
    return around


def with_title(blocks: list[Found], title: str) -> list[Found]:
    """Returns the `blocks` of a page with their first block marked as the beginning of a chapter named
    `title`, the page's title in the table of contents. A first block that has this text becomes a heading.
    Without blocks or title, `blocks` is returned unchanged."""
    if not blocks or not title:
        return blocks
    first = blocks[0]
    if not first.rank and first.text.split() == title.split():
        first = replace(first, kind="heading", rank=1)
    return [replace(first, chapter=title), *blocks[1:]]
