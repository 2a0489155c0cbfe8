"""Reads what programs wrote to a terminal or a pipe."""

from __future__ import annotations

import os


def everything(reader: int) -> bytes:
    """All that was written there, once nobody writes any more. One read may return a part of it, and a
    terminal ends with an error."""
    return b"".join(iter(lambda: _piece(reader), b""))


def _piece(reader: int) -> bytes:
    try:
        return os.read(reader, 100_000)
    except OSError:
        return b""
