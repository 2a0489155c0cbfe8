"""The steps of the published normaliser that both languages share, in the published order (docs/model.md
9.1). Works on strings only.

Mistakes are kept, since the model was trained with them.
"""

from __future__ import annotations

import re

import emoji

from speech_text.signs import has_hanzi

_LINE_ENDS = ".!?;:：。！？；，"


def join_lines(text: str) -> str:
    """Steps 1 and 2: writes the dot of a list number at the start of `text` as 。, and turns a written-out
    newline (backslash and n) into a line end. Then joins the lines that are not empty. A line that does not
    end with a mark gets a full stop."""
    text = re.sub(r"^(\d+)\. ", r"\1。", text).replace("\\n", "\n")
    lines = [line for line in (raw.strip() for raw in text.split("\n")) if line]
    closed = [
        line if line[-1] in _LINE_ENDS else line + ("。" if has_hanzi(line) else ". ") for line in lines
    ]
    glue = "" if any(has_hanzi(line) for line in closed) else " "
    return glue.join(closed)


def drop_emoji(text: str) -> str:
    """Step 3: removes emoji."""
    return str(emoji.replace_emoji(text, ""))


def part_hyphenated_words(text: str) -> str:
    """Step 4: turns a hyphen between ASCII letters into a space."""
    return re.sub("(?<=[a-zA-Z])-(?=[a-zA-Z])", " ", text)


def tidy_spaces(text: str) -> str:
    """Step 6: keeps a space only if it stands before an ASCII letter or digit, and after an ASCII letter or
    digit or one of , . ! ? ; :"""
    text = re.sub(" +", " ", text)
    return re.sub("(?<![A-Za-z0-9.,!?;:]) | (?![A-Za-z0-9])", "", text)
