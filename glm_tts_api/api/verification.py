"""The sentence by which a restart proves itself, told by a token that only the run folder knows."""

from __future__ import annotations

import secrets
from pathlib import Path

TOKEN_HEADER = "x-verify-token"
_LEAST_LENGTH = 16


def take_token(given: str, token_file: Path | None) -> bool:
    """Whether `given` is the token in `token_file`; if so the file goes, so it counts once. Blocking."""
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
