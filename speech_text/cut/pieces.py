"""Cuts a text into short pieces, so that no single step holds other threads up for long. Works on strings
only.

The pieces are for the transducers, whose time and memory grow with every character and most with digits, and
for the tables of the default rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

MAX_PIECE = 80
MAX_DIGITS = 40
MAX_SENTENCE = 120
# Not the dot of `Dr.`, `Mrs.` or `J.`, and not a dot before a small letter, as often after `p.m.`
_FULL_STOP = r"(?<!\b[A-Z])(?<!\b[A-Z][a-z])(?<!\b[A-Z][a-z]{2})\.(?= (?![a-z]))"
_BOUNDARIES = (
    re.compile(rf"[。！？；?!;]|{_FULL_STOP}"),
    re.compile(r"，|、|,(?!\d)"),
    re.compile(r"(?<![0-9]) (?![0-9%])"),
    re.compile("[\u4e00-\u9fff](?=[\u4e00-\u9fff]{2})"),
)
_WORDS = "\u4e00-\u9fffA-Za-z"
_SAFE_END = re.compile(
    rf"(?:[。！？；、]|(?<!\d)，)(?=[{_WORDS}0-9])|，(?=[{_WORDS}])"
    r"|(?<=[a-z]{5})(?:[.!?;:] (?=[A-Z][a-z])| (?=[a-z]{5}))"
)
_ALIKE = 16  # how many characters after a place are compared with those after another place
_DIGIT = re.compile(r"\d")

Check = Callable[[], None]
"""A function that is called between two pieces of work. It raises an error if nobody waits for the result."""


def unwatched() -> None:
    """Does nothing. This is the `check` for work that nobody stops."""


def pieces(text: str, limit: int = MAX_PIECE, max_digits: int = MAX_DIGITS) -> Iterator[str]:
    """Yields the whole `text` in successive pieces of at most `limit` characters and `max_digits` digits.

    A piece ends after a sentence if possible, otherwise after a clause, otherwise after a word. None of these
    places lies inside a number. Where there is no such place, a piece may end anywhere. An empty `text`
    yields nothing.
    """
    start = 0
    while (end := _furthest(text, start, limit, max_digits)) < len(text):
        end = _last_boundary(text, start, end)
        yield text[start:end]
        start = end
    if start < len(text):
        yield text[start:]


def sentences(text: str, limit: int = MAX_PIECE, max_digits: int = MAX_DIGITS) -> Iterator[str]:
    """Yields the whole `text` in successive pieces of at most `limit` characters. A cut is only made where
    the published rules read both sides as they read the whole: after a Chinese clause, after a sentence, or
    between two long words.

    A stretch without such a place becomes a longer piece. If the piece has more than MAX_SENTENCE (120)
    characters or `max_digits` digits, it is cut as `pieces` cuts it. At such a cut the transducers may choose
    the other one of two readings that weigh the same (with or without "and").
    """
    start = safe = 0
    for end in [*(match.end() for match in _SAFE_END.finditer(text)), len(text)]:
        if end - start > limit and safe > start:
            yield from pieces(text[start:safe], MAX_SENTENCE, max_digits)
            start = safe
        safe = end
    yield from pieces(text[start:], MAX_SENTENCE, max_digits)


def _furthest(text: str, start: int, limit: int, max_digits: int) -> int:
    """Returns the last place at which a piece that begins at `start` may end, so that the piece has at most
    `limit` characters and `max_digits` digits."""
    end = min(start + limit, len(text))
    digits = [match.end() for match in _DIGIT.finditer(text, start, end)]
    return digits[max_digits - 1] if len(digits) > max_digits else end


def _last_boundary(text: str, start: int, end: int) -> int:
    for boundary in _BOUNDARIES:
        found = [match.end() for match in boundary.finditer(text, start, end)]
        if found:
            return found[-1]
    # In a text that repeats itself this is the same place each time: equal pieces are read only once.
    return max(range(end, (start + end) // 2, -1), key=lambda at: text[at : at + _ALIKE])
