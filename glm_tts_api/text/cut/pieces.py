"""Cutting a text into pieces: for a transducer, whose time and memory grow with every character and most with
digits, and for the tables of rules, so that no step holds other threads up. Knows strings only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

MAX_PIECE = 80
MAX_DIGITS = 40
MAX_SENTENCE = 120
# Not behind `Dr.`, `Mrs.` and `J.`, nor before a word in small letters, as behind `p.m.`
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
_ALIKE = 16  # characters after a place that tell it from another
_DIGIT = re.compile(r"\d")

Check = Callable[[], None]
"""Called between two pieces of work; raises where the work is no longer wanted."""


def unwatched() -> None:
    """The Check of work that is always wanted."""


def pieces(text: str, limit: int = MAX_PIECE, max_digits: int = MAX_DIGITS) -> Iterator[str]:
    """`text` in order and complete, in pieces of at most `limit` characters and `max_digits` digits, cut
    where no figure is cut: after a sentence, else a clause, else a word, else anywhere."""
    start = 0
    while (end := _furthest(text, start, limit, max_digits)) < len(text):
        end = _last_boundary(text, start, end)
        yield text[start:end]
        start = end
    if start < len(text):
        yield text[start:]


def sentences(text: str, limit: int = MAX_PIECE, max_digits: int = MAX_DIGITS) -> Iterator[str]:
    """`text` in order and complete, in pieces of `limit` characters or less. It is cut only where the
    published rules read both sides as they read the whole: after a Chinese clause, a sentence, or a long word
    before another.

    A stretch without such a place may be longer, up to MAX_SENTENCE characters or `max_digits` digits; then
    it is cut as `pieces` does. There, of two readings that weigh the same to the automata (with or without
    "and"), the other may win.
    """
    start = safe = 0
    for end in [*(match.end() for match in _SAFE_END.finditer(text)), len(text)]:
        if end - start > limit and safe > start:
            yield from pieces(text[start:safe], MAX_SENTENCE, max_digits)
            start = safe
        safe = end
    yield from pieces(text[start:], MAX_SENTENCE, max_digits)


def _furthest(text: str, start: int, limit: int, max_digits: int) -> int:
    """Where a piece that begins at `start` has to end at the latest."""
    end = min(start + limit, len(text))
    digits = [match.end() for match in _DIGIT.finditer(text, start, end)]
    return digits[max_digits - 1] if len(digits) > max_digits else end


def _last_boundary(text: str, start: int, end: int) -> int:
    for boundary in _BOUNDARIES:
        found = [match.end() for match in boundary.finditer(text, start, end)]
        if found:
            return found[-1]
    # In a text that repeats itself the same place each time, so that its pieces are alike and read but once.
    return max(range(end, (start + end) // 2, -1), key=lambda at: text[at : at + _ALIKE])
