"""Reads Markdown into a Book: headings, paragraphs, list items, block quotes, the rows of tables, and verse
(lines that end with hard breaks). Code, images, comments, link targets and footnotes are left out. The time
is linear in the text, since each line is looked at once. Works on strings only.

The library markdown-it-py is not used: it would join the lines of a dialogue into one paragraph
(CONTRIBUTING.md).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise

from glm_tts_api.longform.script import Block, Book, book_of, row_of
from speech_text.blocks import ENDED, goes_on, heading_rank, join_lines, wrap_width

_ATX = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
_SETEXT = re.compile(r" {0,3}(=+|-{2,})\s*")
_FENCE = re.compile(r" {0,3}(`{3,}+|~{3,}+)[^`]*")
_RULE = re.compile(r" {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*")
_ITEM = re.compile(r"\s*(?:[-*+]|(?P<number>\d{1,9}[.)]))[ \t]+(?:\[[ xX]\][ \t]+)?(?=\S)")
_QUOTE = re.compile(r" {0,3}(?:>[ \t]?)+")
_CODE = re.compile(r" {4}|\t")
_DEFINITION = re.compile(r" {0,3}\[[^\[\]\n]{1,200}\]:(?:\s|$)")
_HARD_BREAK = re.compile(r"(?:(?<! ) {2,}|\\|<br ?/?>)$", re.I)
_FRONT = re.compile(r"(title|author)\s*:\s*[\"']?(.*?)[\"']?", re.I)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
# A mark such as [[pause 1]] is kept, since the text front end reads it.
_MARK = re.compile(r"(\[\[[^\[\]\n]{1,200}\]\])")
_SIGNS = (
    (re.compile(r"!\[[^\[\]\n]{0,300}\](?:\([^()\n]{0,500}\)|\[[^\[\]\n]{0,100}\])"), ""),
    (re.compile(r"\[\^[^\[\]\n]{1,50}\]"), ""),
    (re.compile(r"\[([^\[\]\n]{1,300})\](?:\([^()\n]{0,500}\)|\[[^\[\]\n]{0,100}\])"), r"\1"),
    (re.compile(r"<((?:https?|mailto):[^<>\s]{1,300})>"), r"\1"),
    (re.compile(r"</?[A-Za-z][^<>\n]{0,300}>"), ""),
    (re.compile(r"(?<!`)(`{1,3})(?!`)([^`\n]{1,300})\1"), r"\2"),
    (re.compile(r"(\*{1,3}|~~)(?=\S)([^*~\n]{1,500}?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<![^\W_])(_{1,3})(?=\S)([^_\n]{1,500}?)(?<=\S)\1(?![^\W_])"), r"\2"),
    (re.compile(r"\\([!-/:-@\[-`{-~])"), r"\1"),
)


def is_markdown(text: str) -> bool:
    """Returns whether a line of `text` is a Markdown heading (`# Title`)."""
    return re.search(r"(?m)^#{1,6}[ \t]+\S", text) is not None


def read_markdown(text: str) -> Book:
    lines = _COMMENT.sub("", "\n".join(text.splitlines())).split("\n")
    front, lines = _front_matter(lines)
    found = [block for block in _blocks(_without_code(lines)) if any(map(str.isalnum, block.text))]
    if not any(block.rank for block in found):  # no headings: look for lines such as Chapter IV
        ranks = [heading_rank(block.text) if block.kind == "paragraph" else 0 for block in found]
        pairs = zip(found, ranks, strict=True)
        found = [Block(block.text, "heading", rank) if rank else block for block, rank in pairs]
    return book_of(found, front.get("title", ""), front.get("author", ""))


def _front_matter(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    """Reads the YAML front matter at the start of a file. Returns its `title` and `author`, as far as it has
    them, and the lines after the front matter. Without front matter the dictionary is empty and all lines are
    returned."""
    if lines[0].rstrip() != "---" or "---" not in (rest := [line.rstrip() for line in lines[1:100]]):
        return {}, lines
    end = rest.index("---")
    fields = filter(None, map(_FRONT.fullmatch, rest[:end]))
    return {field[1].lower(): field[2] for field in fields}, lines[end + 2 :]


def _without_code(lines: Sequence[str]) -> Iterator[str]:
    fence, in_list, after_blank = "", False, True
    for line in lines:
        if fence:
            is_end = line.strip().startswith(fence) and not line.strip().strip(fence[0])
            fence = "" if is_end else fence
        elif opened := _FENCE.fullmatch(line):
            fence, in_list, after_blank = opened[1], False, True
            yield ""
        elif not line.strip():
            after_blank = True
            yield ""
        elif _CODE.match(line) and after_blank and not in_list:
            continue
        else:
            in_list = bool(_ITEM.match(line)) or (in_list and line[0].isspace())
            after_blank = False
            yield line


def _blocks(lines: Iterator[str]) -> Iterator[Block]:
    kept = [line.expandtabs(4) for line in lines]
    kept = [_QUOTE.sub("", line, count=1) for line in kept]
    width = wrap_width(kept)
    open_lines: list[str] = []
    is_item = False
    for line, below in pairwise([*kept, "", ""]):
        heading = _ATX.fullmatch(line)
        underlined = _SETEXT.fullmatch(below) if line.strip() and not open_lines else None
        item = _ITEM.match(line) if not _RULE.fullmatch(line) else None
        is_row = line.lstrip().startswith("|")
        ends = (
            not line.strip() or heading or item or is_row or _RULE.fullmatch(line) or _DEFINITION.match(line)
        )
        if open_lines and (ends or not _continues(open_lines[-1], line, width)):
            yield from _closed(open_lines, is_item)
            open_lines, is_item = [], False
        if heading or underlined:
            rank = len(heading[1]) if heading else 1 if underlined and "=" in underlined[1] else 2
            yield Block(_plain(heading[2].rstrip(" \t#") if heading else line), "heading", rank)
        elif is_row:
            yield Block(row_of(map(_plain, line.strip().strip("|").split("|"))), "item")
        elif item or not ends:
            is_item = is_item or bool(item)
            open_lines.append(line)


def _continues(before: str, line: str, width: int) -> bool:
    """Returns whether `line` belongs to the paragraph whose last line is `before`. Markdown joins all lines
    of a paragraph. Here a line that ends a sentence ends the paragraph, as in a dialogue. There are three
    exceptions: `before` ends with a hard break, `line` is indented, or the text is hard-wrapped at `width`
    columns."""
    joined = line.startswith("  ") or _HARD_BREAK.search(before) or not ENDED.search(before.rstrip())
    return bool(joined) or goes_on(before, line, width)


def _closed(lines: Sequence[str], is_item: bool) -> Iterator[Block]:
    """Yields the block that `lines` form: one paragraph or list item, or a verse block for each line if all
    lines but the last end with a hard break."""
    texts = [_HARD_BREAK.sub("", line) for line in lines]
    if len(lines) > 1 and all(map(_HARD_BREAK.search, lines[:-1])):
        yield from (Block(_plain(text), "verse") for text in texts)
    else:
        item = _ITEM.match(texts[0]) if is_item else None
        number = f"{item['number']} " if item and item["number"] else ""
        texts[0] = number + texts[0][item.end() if item else 0 :]
        yield Block(_plain(join_lines(texts)), "item" if is_item else "paragraph")


def _plain(text: str) -> str:
    """Returns `text` without Markdown's signs, with its entities resolved and its whitespace collapsed. Marks
    such as [[pause 1]] stay unchanged."""
    parts = _MARK.split(text)
    for at in range(0, len(parts), 2):
        for pattern, instead in _SIGNS:
            parts[at] = pattern.sub(instead, parts[at])
        with suppress(ValueError):  # an entity such as &#9...9; with thousands of digits
            parts[at] = html.unescape(parts[at])
    return " ".join("".join(parts).split())
