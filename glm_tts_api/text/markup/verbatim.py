"""Addresses, paths and code in a text: said in full, shortened or left out. Knows strings only.

read     as they are written
short    of an address its host, of a link its text, of a path its last name, of a block of code nothing
skip     nothing of any of them
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from glm_tts_api.contracts import Verbatim
from glm_tts_api.text.default.spelling import EMAIL, TAIL, URL
from glm_tts_api.text.markup.marks import Part

_NAME = r"[\w.+@~-]{1,80}"
_FOUND = re.compile(
    r"(?P<target>(?<=\])\([^()\s]{1,2000}(?:[ ]\"[^\"\n]{0,200}\")?\))"
    rf"|(?P<email>{EMAIL.pattern})"
    rf"|(?P<url>{URL.pattern})"
    rf"|(?P<path>(?<![\w/.:])(?:[A-Z]:\\|~?/|\.{{1,2}}/)(?:{_NAME}[/\\]){{1,20}}(?:{_NAME})?)"
    r"|(?P<code>`[^`\n]{1,300}`)",
    re.IGNORECASE | re.ASCII,
)
_HOST = re.compile(r"(?:[a-z]+://)?(?:[^/@\s]*@)?(?:www\.)?([^/:?#]+)", re.IGNORECASE)
_FENCES = ("```", "~~~")


class Span(NamedTuple):
    """The text from `start` to `end` is read as `said`."""

    start: int
    end: int
    said: str


def verbatim_spans(text: str, how: Verbatim) -> Iterator[Span]:
    """The places that are shortened or left out, in order."""
    if how == "read":
        return
    done = 0
    for start, end in [*_blocks(text), (len(text), len(text))]:
        for found in _FOUND.finditer(text, done, start):
            written = found[0].rstrip(TAIL) if found["url"] else found[0]
            goes_on = text[found.end() : found.end() + 1].isalnum()  # in Hanzi
            said = "" if how == "skip" else _short(found.lastgroup or "", written, goes_on=goes_on)
            if said != written:
                yield Span(found.start(), found.start() + len(written), said)
        if start < end:
            yield Span(start, end, "")
        done = end


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Code between two fences. One that is not closed is text."""
    at, opened, fence = 0, 0, ""
    for line in text.splitlines(keepends=True):
        stripped = line.strip()
        if not fence and stripped.startswith(_FENCES):
            opened, fence = at, stripped[:3]
        elif fence and stripped == fence:
            yield opened, at + len(line.rstrip())
            fence = ""
        at += len(line)


def _short(kind: str, written: str, *, goes_on: bool) -> str:
    match kind:
        case "url":
            host = _HOST.match(written)
            return host[1] if host else written
        case "path":
            return "" if goes_on else re.split(r"[/\\]", written.rstrip("/\\"))[-1]
        case "target":
            return ""
    return written


def shortened(parts: Iterable[Part], spans: Iterable[Span]) -> Iterator[Part]:
    """The parts, in which the spans are parts of their own. A span that a mark or the end of a block cuts is
    said where it begins."""
    left = iter(spans)
    span = next(left, None)
    for part in parts:
        done, end = part.start, part.start + len(part.written)
        if part.cut is not None or part.rule is not None:
            yield part
            continue
        while span is not None and span.start < end:
            start, stop, said = span
            first = max(start, done)
            yield _plain(part, done, first)
            done = max(first, min(stop, end))
            written = part.written[first - part.start : done - part.start]
            yield Part(first, written, said if first == start else "", rule="verbatim")
            if stop > end:
                break
            span = next(left, None)
        yield _plain(part, done, end)


def _plain(part: Part, start: int, end: int) -> Part:
    written = part.written[start - part.start : end - part.start]
    return Part(start, written, written)
