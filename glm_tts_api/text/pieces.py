"""Cutting a text into pieces: for a transducer, whose time and memory grow with every character and most with
digits, and for the tables of rules, so that no step holds other threads up. Knows strings only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

MAX_PIECE = 80
MAX_DIGITS = 40
MAX_SENTENCE = 1000
_BOUNDARIES = (
    re.compile(r"[。！？；?!;]|\.(?= )"),
    re.compile(r"，|、|,(?!\d)"),
    re.compile(r" (?![0-9%])"),
    re.compile("[\u4e00-\u9fff](?=[\u4e00-\u9fff]{2})"),
)
_SAFE_END = re.compile("(?<=[一-鿿])[。！？](?=[一-鿿])|(?<=[a-z]{5})[.!?] (?=[A-Z][a-z])")
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
    """`text` in order and complete, in pieces of `limit` characters or more, cut only where the
    published rules read both sides as they read the whole: after a Chinese sentence, or after a word that is
    no abbreviation. Where no such place comes in time, a text of endless length is cut as `pieces` does."""
    start = 0
    ends = [match.end() for match in _SAFE_END.finditer(text)]
    for end in [*ends, len(text)]:
        if end - start >= limit or end == len(text):
            yield from pieces(text[start:end], MAX_SENTENCE, max_digits)
            start = end


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
    return end
