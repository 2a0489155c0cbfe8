"""Default rules for layout: removes the signs that only mark up a text (Markdown, lists, tables, tags)."""

from __future__ import annotations

import re

from speech_text.english import number_words
from speech_text.signs import has_hanzi

_LINE_ENDS = ".!?;:：。！？；，,、…"
_CLOSING = "\"'”’»›)]）】」』》〉*_~` "
_LONG_RUN = re.compile(r"([^\w\s])\1{3,}")
_BLANKS = re.compile(r"[^\S\n]+")
_WINDOWS_PATH = re.compile(r"(?<![A-Za-z])[A-Za-z]:\\\S*")
_LINK = re.compile(r"\]\((?=[^)\s])")
_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9]*(?:\s+[A-Za-z-]+=[^<>\n]{0,200})?)\s*/?>")
_IN_ANGLES = re.compile(
    r"(?<![A-Za-z0-9)\]<])<{1,2}(?=[A-Za-z\u4e00-\u9fff])([^<>\n]{1,80})(?<! )>{1,2}"
    r"(?! ?[-\d零一二三四五六七八九十百=])"
)
_DOUBLE_HYPHEN = re.compile(r"(?<=\d)--(?=\d)")
_STRONG = re.compile(r"(?!(?<=\d)\*{2,3}\d|(?<=\d\*)\*{1,2}\d)(\*\*|__|~~)(?=\S)([^*_~\n]{1,300}?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<![0-9A-Za-z)*])\*(?=\S)([^*\n]{1,300}?)(?<=\S)\*(?![0-9A-Za-z(*])")
_LEAD = re.compile(r"(?:(?:#{1,6}(?=\s)|>|[*+·‣◦▪●○■□◆★☆-](?=\s)|[·‣◦▪●○■□◆★☆](?=\S)|\[[ xX]\])\s*)+")
_NUMBERED = re.compile(
    r"(?:[(（](?P<inside>\d{1,2})[)）]|(?P<before>\d{1,3})(?:[.．)）](?=\s|[\u4e00-\u9fffA-Za-z])|、))\s*+(?=\D)"
    r"(?!(?:[KQRBN][a-h1-8]?x?)?[a-h][1-8](?!\w))"  # a move of chess: 1. e4
)
_HEADING = re.compile("(第[0-9零〇一二三四五六七八九十百千两]{1,9}[章回节卷部篇幕集讲课]) (?=\\S)")


def spoken_lines(text: str) -> list[str]:
    """Returns the lines of `text` that have a letter, a digit or a Hanzi, without markup. A line that does
    not end with a punctuation mark gets a full stop."""
    text = _WINDOWS_PATH.sub(lambda path: path.group().replace("\\", " "), text).replace("\\n", "\n")
    text = _LONG_RUN.sub(r"\1\1\1", _BLANKS.sub(" ", text.replace("\\", " ").replace("`", " ")))
    text = _IN_ANGLES.sub(r" \1 ", _TAG.sub(r" \1 ", text))
    text = _DOUBLE_HYPHEN.sub("-", text)
    text = _EMPHASIS.sub(r"\1", _STRONG.sub(r"\2", text))
    lines = (_spoken_line(line.strip()) for line in text.split("\n"))
    return [line for line in lines if line]


def _spoken_line(line: str) -> str:
    if not any(char.isalnum() for char in line):
        return ""
    chinese = has_hanzi(line)
    line = _HEADING.sub(r"\1，", line)
    line = _LINK.sub("，" if chinese else ", ", line)
    line = _LEAD.sub("", line, count=1) if _LEAD.match(line) else line
    numbered = _NUMBERED.match(line)
    if numbered:
        number, rest = numbered["inside"] or numbered["before"], line[numbered.end() :]
        line = f"{number}。{rest}" if chinese else f"{number_words(number)}. {rest}"
    if line.startswith("|") and line.endswith("|"):
        line = line.strip("| ")
    return line if line.rstrip(_CLOSING)[-1:] in _LINE_ENDS else line + ("。" if chinese else ". ")
