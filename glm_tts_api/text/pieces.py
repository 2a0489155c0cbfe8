"""Cutting a text into pieces for a transducer, whose time and memory grow with every character."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_PIECE = 80
_MAX_SENTENCE = 1000
_BOUNDARIES = (
    re.compile(r"[。！？；?!;]|\.(?= )"),
    re.compile(r"，|、|,(?!\d)"),
    re.compile(r" (?![0-9%])"),
    re.compile("[\u4e00-\u9fff](?=[\u4e00-\u9fff]{2})"),
)
_SAFE_END = re.compile("(?<=[一-鿿])[。！？](?=[一-鿿])|(?<=[a-z]{5})[.!?] (?=[A-Z][a-z])")


def pieces(text: str, limit: int = MAX_PIECE) -> Iterator[str]:
    """`text` in order and complete, in pieces of at most `limit` characters, cut where no figure is cut:
    after a sentence, else a clause, else a word, else anywhere."""
    start = 0
    while len(text) - start > limit:
        end = _last_boundary(text, start, start + limit)
        yield text[start:end]
        start = end
    if start < len(text):
        yield text[start:]


def sentences(text: str, limit: int = MAX_PIECE) -> Iterator[str]:
    """`text` in order and complete, in pieces of `limit` characters or more, cut only where the
    published rules read both sides as they read the whole: after a Chinese sentence, or after a word that is
    no abbreviation. Where no such place comes, a text of endless length is cut as `pieces` does."""
    start = 0
    ends = [match.end() for match in _SAFE_END.finditer(text)]
    for end in [*ends, len(text)]:
        if end - start >= limit or end == len(text):
            part = text[start:end]
            yield from [part] if len(part) <= _MAX_SENTENCE else pieces(part, limit)
            start = end


def _last_boundary(text: str, start: int, end: int) -> int:
    for boundary in _BOUNDARIES:
        found = [match.end() for match in boundary.finditer(text, start, end)]
        if found:
            return found[-1]
    return end
