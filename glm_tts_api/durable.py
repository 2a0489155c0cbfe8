"""Files that are replaced whole: a kill at any moment leaves the one before or the one after."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def temporary_of(path: Path) -> Path:
    """Where `replace_file` writes before the file is in its place."""
    return path.with_name(path.name + ".new")


def replace_file(path: Path, data: bytes) -> None:
    """Puts `data` at `path` in one step, on the disk before it is there. Raises OSError."""
    temporary = temporary_of(path)
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
