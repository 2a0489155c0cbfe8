"""Reads and writes files for the commands."""

from __future__ import annotations

from pathlib import Path

from glm_tts_api.commandline.failing import Misused
from glm_tts_api.durable import replace_file
from glm_tts_api.errors import Failed


def read_file(path: Path) -> bytes:
    """Returns the file's content. Raises Misused if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misused(f"'{path}' cannot be read ({error.strerror}).") from None


def write_file(path: Path, data: bytes) -> None:
    """Replaces the file `path` in one step, or writes into it if it is a device or a pipe. Raises Failed."""
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
        else:
            replace_file(path, data)
    except OSError as error:
        raise Failed(f"'{path}' cannot be written ({error.strerror}).") from None
