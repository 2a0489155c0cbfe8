"""The errors of a text that cannot be read."""

from __future__ import annotations

from typing import Literal

Code = Literal[
    "nothing_to_say", "text_too_long", "malformed_pronunciation", "invalid_ssml", "invalid_lexicon_entry"
]
_MAX_QUOTED_CHARS = 80


class TextError(ValueError):
    """A text, or an instruction for its reading, is refused. The message is a sentence for the text's author,
    but for "invalid_lexicon_entry" and for a reading in pinyin the end of one. `code` is the stable name."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code


def quote(text: str, max_chars: int = _MAX_QUOTED_CHARS) -> str:
    """Returns a user's text as an error may repeat it: on one line, cut to `max_chars` characters, of which
    the last is then `…`."""
    flat = " ".join(text.split())
    return flat if len(flat) <= max_chars else flat[: max_chars - 1] + "…"
