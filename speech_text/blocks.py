"""Cuts a plain text into blocks: headings, paragraphs, list items and lines of verse. Works on strings only.

A line is a paragraph, unless the text is hard-wrapped, that is, its lines were broken at a fixed width. In
such a text a paragraph goes on in the next line if the first word of the next line would not have fitted into
the line before. Blank lines, indents, list markers and headings of chapters begin a new block.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from speech_text.english import ONES, TENS

BlockKind = Literal["heading", "paragraph", "item", "verse"]

_NARROWEST, _WIDEST = 50, 120  # columns: the width of a hard-wrapped text lies between these
VERSE = 50  # columns: the longest line of a verse
_FULL = 0.85  # a line is full if it and the next word take more than this share of the width
_MOST_TITLE = 40  # characters: the longest heading of a part or chapter
_WIDE = (
    "[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\U0001f300-\U0003fffd]"
)
_WIDE_CHAR = re.compile(_WIDE)
_STUCK = re.compile(f"{_WIDE}|[“”‘’—…]")  # next to these, lines join without a blank
_FIRST_WORD = re.compile(rf"{_WIDE}|[^\s]+")
_INDENT = re.compile("\u3000|\t|  ")
ENDED = re.compile(r"[。！？!?.…~～—：:；;][\"'”’」』）)\]】*_]*$|[”’」』）)\]】]$")
_SPEAKER = re.compile(r"[^\W_][^。，！？；：:,!?;\n]{0,19}[：:]\s*\S")
_ATX = re.compile(r"(#{1,6})\s+(?=\S)")
_BULLET = re.compile("(?:[-*+•·▪◦●○■□◆‣–](?:\\s+|\u3000)|[●○■□◆▪•])(?=\\S)")
_NUMBERED = re.compile(r"(?:\d{1,3}(?:[.)．）](?=\s|[^\x00-\xff])|、)|[(（]\d{1,3}[)）]|[①-⑳])\s*\S")
_ORDINAL = "[〇零一二三四五六七八九十百千两\\d０-９]{1,7}"
_ONES, _TEENS, _TENS = map("|".join, (ONES[1:10], ONES[10:], TENS[2:]))
_NUMERAL = rf"(?i:\d{{1,4}}|[ivxlc]{{1,8}}|{_ONES}|{_TEENS}|(?:{_TENS})(?:[ -](?:{_ONES}))?)(?![^\W_])"
_NAMED = (
    "楔子|序章|序幕|序言|自序|前言|引子|引言|尾声|后记|终章|番外|附录"
    "|prologue|epilogue|preface|foreword|introduction|afterword|appendix"
)
_TITLE = r"(?:[\s.:：—–-]+(?P<{}>.*))?"
_PARTS = re.compile(
    rf"第\s*{_ORDINAL}\s*[卷部集篇](?P<a>.*)|[卷部]{_ORDINAL}{_TITLE.format('b')}"
    rf"|(?i:part|volume|book)\s+{_NUMERAL}{_TITLE.format('c')}"
)
_CHAPTERS = re.compile(
    rf"第\s*{_ORDINAL}\s*[章回节幕](?P<a>.*)|(?i:chapter)\s+{_NUMERAL}{_TITLE.format('b')}"
    rf"|(?i:{_NAMED}){_TITLE.format('c')}"
)
_IN_SENTENCE = re.compile(r"[，。；,;]|[.：:]$")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A block of a text, which ends before character `end` of the text. `text` is the block as one line,
    without the # signs of a heading and without a bullet. `rank` is the level of a heading: the number of its
    # signs, otherwise 1 for a volume or part and 2 for a chapter. Other blocks have rank 0."""

    text: str
    kind: BlockKind = "paragraph"
    rank: int = 0
    end: int = 0


def paragraphs(text: str) -> Iterator[Paragraph]:
    """Yields the blocks of `text` in order. Lines without a letter, digit or Hanzi are left out."""
    lines = text.splitlines(keepends=True)
    width = wrap_width(lines)
    stanza, lines_of_block, end, at = list[Paragraph](), list[str](), 0, 0
    for line in lines:
        stripped = line.strip()
        heading = _heading(stripped, at + len(line.rstrip()))
        if lines_of_block and (not stripped or heading or not _goes_on(lines_of_block[-1], line, width)):
            stanza.append(_block(lines_of_block, end))
            lines_of_block = []
        if stanza and (not stripped or heading):
            yield from _as_verse(stanza)
            stanza = []
        if heading:
            yield heading
        elif any(map(str.isalnum, stripped)):
            lines_of_block.append(line)
            end = at + len(line.rstrip())
        at += len(line)
    if lines_of_block:
        stanza.append(_block(lines_of_block, end))
    yield from _as_verse(stanza)


def block_ends(text: str) -> Iterator[tuple[int, BlockKind]]:
    """Yields the end (a place in `text`) and the kind of each block but the last. Successive lines of verse
    count as one block."""
    if len(text.splitlines()) < 2:
        return
    for block, following in pairwise(paragraphs(text)):
        if not block.kind == following.kind == "verse":
            yield block.end, block.kind


def heading_rank(line: str) -> int:
    """Returns 1 if `line` is the heading of a volume or part (第一卷, Part One), 2 if it is the heading of a
    chapter (第三章, 第五回, 楔子, Chapter IV), and 0 for any other line. A line of more than 40 characters is
    no heading, nor is a line whose title has a comma or semicolon or ends like a sentence."""
    if len(line) > _MOST_TITLE or line[:1].islower():
        return 0
    for rank, pattern in ((1, _PARTS), (2, _CHAPTERS)):
        if found := pattern.fullmatch(line):
            title = next(filter(None, found.groups()), "")
            return 0 if _IN_SENTENCE.search(title) else rank
    return 0


def join_lines(lines: Sequence[str]) -> str:
    """Joins the lines of one paragraph into one line, with a blank between words. No blank is put next to a
    Chinese character, a curved quotation mark or a long dash, or after a hyphen."""
    joined = [*filter(None, map(str.strip, lines))]
    for at, (before, line) in enumerate(pairwise(joined), 1):
        stuck = _STUCK.match(before[-1]) or _STUCK.match(line[0]) or before[-1] == "-"
        joined[at] = line if stuck else f" {line}"
    return "".join(joined)


def wrap_width(lines: Sequence[str]) -> int:
    """Returns the width in columns at which `lines` are hard-wrapped, 0 if they are not.

    Only a line directly above another line counts, unless that other line is indented or begins a list item.
    The lines are wrapped if more than 40 % of those that count end without punctuation, and if the 95th
    percentile of the widths of these unpunctuated lines is 50 to 120 columns. The percentile is the result.
    """
    above = [
        before.rstrip()
        for before, line in pairwise(lines)
        if before.strip() and line.strip() and not _INDENT.match(line) and not is_item(line.strip())
    ]
    if not above:
        return 0
    unfinished = [columns(line) for line in above if not ENDED.search(line)]
    width = sorted(unfinished)[len(unfinished) * 19 // 20] if unfinished else 0
    wrapped = len(unfinished) > 0.4 * len(above) and _NARROWEST <= width <= _WIDEST
    return width if wrapped else 0


def goes_on(before: str, line: str, width: int) -> bool:
    """Returns whether a paragraph goes on from the line `before` to `line`, in a text that is hard-wrapped at
    `width` columns. It goes on if `before` and the first word of `line` together take more than 85 % of
    `width`.

    A list item never continues a paragraph, nor does a line of dialogue (`Ann: ...`) after a line that ends
    with punctuation. A `width` of 0 means that the text is not wrapped, so no paragraph goes on.
    """
    before = before.rstrip()
    if not width or is_item(line.lstrip()) or (ENDED.search(before) and _SPEAKER.match(line.lstrip())):
        return False
    first_word = _FIRST_WORD.search(line)
    return columns(before) + (columns(first_word[0]) if first_word else 0) > _FULL * width


def is_item(line: str) -> bool:
    return bool(_BULLET.match(line) or _NUMBERED.match(line))


def columns(line: str) -> int:
    """Returns the width of `line` in columns. A Hanzi or another wide character is two columns wide."""
    return len(line) if line.isascii() else len(line) + len(_WIDE_CHAR.findall(line))


def _goes_on(before: str, line: str, width: int) -> bool:
    begins = _INDENT.match(line) and (not _INDENT.match(before) or ENDED.search(before.rstrip()))
    return not begins and goes_on(before, line, width)


def _heading(line: str, end: int) -> Paragraph | None:
    if signs := _ATX.match(line):
        text = line[signs.end() :].rstrip("# ")
        return Paragraph(text, "heading", len(signs[1]), end) if any(map(str.isalnum, text)) else None
    rank = heading_rank(line)
    return Paragraph(line, "heading", rank, end) if rank else None


def _block(lines: Sequence[str], end: int) -> Paragraph:
    text = join_lines(lines)
    if bullet := _BULLET.match(text):
        return Paragraph(text[bullet.end() :], "item", end=end)
    return Paragraph(text, "item" if is_item(text) else "paragraph", end=end)


def _as_verse(stanza: Sequence[Paragraph]) -> Iterator[Paragraph]:
    """Yields the blocks of `stanza`, which stand between two blank lines. Their kind becomes verse if they
    are at least two paragraphs of at most 50 columns each, and one before the last ends without punctuation.
    Blocks with a line of dialogue are no verse."""
    texts = [block.text for block in stanza if block.kind == "paragraph"]
    is_verse = (
        1 < len(texts) == len(stanza)
        and all(columns(text) <= VERSE and not _SPEAKER.match(text) for text in texts)
        and not all(ENDED.search(text) for text in texts[:-1])
    )
    yield from (replace(block, kind="verse") for block in stanza) if is_verse else stanza
