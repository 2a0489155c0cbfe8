"""Default rules for layout: removes the signs that only mark up a text (Markdown, lists, tables, tags)."""

from __future__ import annotations

import re

from speech_text.english import number_words
from speech_text.places import Edit, Placed
from speech_text.signs import has_hanzi

_LINE_ENDS = ".!?;:：。！？；，,、…"
_CLOSING = "\"'”’»›)]）】」』》〉*_~` "
_LINE = re.compile(r"\S(?:.*\S)?")
_LONG_RUN = re.compile(r"([^\w\s])\1{3,}")
_BLANKS = re.compile(r"[^\S\n]{2,}|[^\S\n ]")
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


def spoken_lines(text: Placed) -> list[Placed]:
    """Returns the lines of `text` that have a letter, a digit or a Hanzi, without markup. A line that does
    not end with a punctuation mark gets a full stop."""
    text = text.sub(_WINDOWS_PATH, lambda path: path[0].replace("\\", " ")).sub(r"\\n", "\n")
    text = text.sub(r"[\\`]", " ").sub(_BLANKS, " ").sub(_LONG_RUN, r"\1\1\1").sub(_TAG, r" \1 ")
    text = text.sub(_IN_ANGLES, r" \1 ").sub(_DOUBLE_HYPHEN, "-").sub(_STRONG, r"\2").sub(_EMPHASIS, r"\1")
    lines = (text[slice(*line.span())] for line in _LINE.finditer(text.text))
    return [_spoken_line(line) for line in lines if any(map(str.isalnum, line.text))]


def _spoken_line(line: Placed) -> Placed:
    chinese = has_hanzi(line.text)
    line = line.sub(_HEADING, r"\1，").sub(_LINK, "，" if chinese else ", ")
    if lead := _LEAD.match(line.text):
        line = line[lead.end() :]
    if numbered := _NUMBERED.match(line.text):
        number = numbered["inside"] or numbered["before"]
        number = f"{number}。" if chinese else f"{number_words(number)}. "
        line = line.edited([Edit(0, numbered.end(), number)])
    if line.text.startswith("|") and line.text.endswith("|"):
        line = line.strip("| ")
    return (
        line if line.text.rstrip(_CLOSING)[-1:] in _LINE_ENDS else line.sub(r"\Z", "。" if chinese else ". ")
    )
