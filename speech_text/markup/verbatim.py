"""Finds addresses, paths and code in a text, to read them in full, to shorten them or to leave them out.
Works on strings only.

read     reads all of them as they are written
short    reads the host of an address, the text of a link and the last name of a path, and no block of code
skip     leaves all of them out
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from speech_text.default.spelling import EMAIL, TAIL, URL
from speech_text.marks import Part

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


def verbatim_parts(text: str, how: Literal["short", "skip"]) -> Iterator[Part]:
    """Yields the places of `text` that are shortened or left out, in order, with their spoken text. `how` is
    "short" or "skip"."""
    done = 0
    for start, end in [*_blocks(text), (len(text), len(text))]:
        for found in _FOUND.finditer(text, done, start):
            written = found[0].rstrip(TAIL) if found["url"] else found[0]
            goes_on = text[found.end() : found.end() + 1].isalnum()  # as where a path goes on in Hanzi
            said = "" if how == "skip" else _short(found.lastgroup or "", written, goes_on=goes_on)
            if said != written:
                yield Part(found.start(), written, said, rule="verbatim")
        if start < end:
            yield Part(start, text[start:end], rule="verbatim")
        done = end


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Yields the start and end of each block of code between two fences (``` or ~~~). Text after a fence that
    is not closed is no block."""
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
