"""The steps of the published normaliser that both languages share, in the published order (docs/model.md
9.1).

Mistakes are kept, since the model was trained with them.
"""

from __future__ import annotations

import re

import emoji

from speech_text.places import Edit, Placed
from speech_text.signs import has_hanzi

_LINE_ENDS = ".!?;:：。！？；，"


def join_lines(text: Placed) -> Placed:
    """Steps 1 and 2: writes the dot of a list number at the start of `text` as 。, and turns a written-out
    newline (backslash and n) into a line end. Then joins the lines that are not empty. A line that does not
    end with a mark gets a full stop."""
    text = text.sub(r"^(\d+)\. ", r"\1。").sub(r"\\n", "\n")
    closed = []
    for found in re.finditer(r"\S(?:.*\S)?", text.text):
        end = "" if found[0][-1] in _LINE_ENDS else "。" if has_hanzi(found[0]) else ". "
        closed.append(text[slice(*found.span())].sub(r"\Z", end))
    return Placed.join(closed, "" if has_hanzi(text.text) else " ")


def drop_emoji(text: Placed) -> Placed:
    """Step 3: removes emoji."""
    found = emoji.emoji_list(text.text)
    return text.edited(Edit(one["match_start"], one["match_end"], "") for one in found)


def part_hyphenated_words(text: Placed) -> Placed:
    """Step 4: turns a hyphen between ASCII letters into a space."""
    return text.sub("(?<=[a-zA-Z])-(?=[a-zA-Z])", " ")


def tidy_spaces(text: Placed) -> Placed:
    """Step 6: keeps a space only if it stands before an ASCII letter or digit, and after an ASCII letter or
    digit or one of , . ! ? ; :"""
    return text.sub(" +", " ").sub("(?<![A-Za-z0-9.,!?;:]) | (?![A-Za-z0-9])", "")
