"""Recognises the test sentence that a restart script has spoken by the new server. The request has a token
that is stored in the run folder."""

from __future__ import annotations

import secrets
from pathlib import Path

TOKEN_HEADER = "x-verify-token"
_LEAST_LENGTH = 16


def take_token(given: str, token_file: Path | None) -> bool:
    """Whether `given` is the token in `token_file`, with at least 16 characters. If so, deletes the file, so
    that the token is accepted only once. Returns false if there is no such file. Blocking."""
    if token_file is None or len(given) < _LEAST_LENGTH:
        return False
    try:
        expected = token_file.read_text().strip()
        if not secrets.compare_digest(given.encode(), expected.encode()):
            return False
        token_file.unlink()
    except OSError:
        return False
    return True
