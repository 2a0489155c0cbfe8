"""The published normaliser's steps that both languages share (docs/model.md 9.1), in its own order.

Knows strings only. Every quirk here is one the model was trained with.
"""

from __future__ import annotations

import re

import emoji

from glm_tts_api.text.signs import has_hanzi

_LINE_ENDS = ".!?;:：。！？；，"


def join_lines(text: str) -> str:
    """Steps 1 and 2: a leading list number, written-out newlines, one closed sentence a line."""
    text = re.sub(r"^(\d+)\. ", r"\1。", text).replace("\\n", "\n")
    lines = [line for line in (raw.strip() for raw in text.split("\n")) if line]
    closed = [
        line if line[-1] in _LINE_ENDS else line + ("。" if has_hanzi(line) else ". ") for line in lines
    ]
    glue = "" if any(has_hanzi(line) for line in closed) else " "
    return glue.join(closed)


def drop_emoji(text: str) -> str:
    """Step 3."""
    return str(emoji.replace_emoji(text, ""))


def part_hyphenated_words(text: str) -> str:
    """Step 4."""
    return re.sub("(?<=[a-zA-Z])-(?=[a-zA-Z])", " ", text)


def tidy_spaces(text: str) -> str:
    """Step 6: a space stays only before ASCII letters and digits, after those or after , . ! ? ; :"""
    text = re.sub(" +", " ", text)
    return re.sub("(?<![A-Za-z0-9.,!?;:]) | (?![A-Za-z0-9])", "", text)
