"""Replaces files atomically: if the process is killed at any moment, the old file or the new one is there."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SPARE_BYTES = 2**16


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Locks the lock file `path` while the context lasts, and waits for the lock. Only one thread of one
    process holds it at a time; the kernel frees it if that process dies. Makes the folder if needed. Raises
    OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def temporary_of(path: Path) -> Path:
    """Returns the path of the temporary file that `replace_file` writes and then renames to `path`."""
    return path.with_name(path.name + ".new")


def replace_file(path: Path, data: bytes) -> None:
    """Replaces the file `path` by one with the content `data`, in one step. The data are on the disk before
    the file gets its name. Raises OSError; the old file is then unchanged, unless only the folder could not
    be flushed to the disk."""
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


def stamp(path: Path) -> tuple[int, int, int, int] | None:
    """Returns numbers that change when the file changes; None if there is no such file."""
    with suppress(OSError):
        status = path.stat()
        return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    return None


def is_full(error: OSError) -> bool:
    """Whether the error says that the disk is full."""
    return error.errno in _FULL


def keep_spare(path: Path) -> None:
    """Reserves disk space in a spare file next to `path`: the size of that file and 64 KiB more. On a full
    disk, a change that makes the file smaller needs this space to be written. Does nothing if the disk has no
    space or `path` does not exist."""
    with suppress(OSError), _spare_of(path).open("ab") as spare:
        wanted = path.stat().st_size + _SPARE_BYTES
        if spare.tell() < wanted:
            os.posix_fallocate(spare.fileno(), 0, wanted)


def give_up_spare(path: Path) -> bool:
    """Deletes the spare file of `path`, which frees its disk space. Returns whether there was one."""
    with suppress(OSError):
        _spare_of(path).unlink()
        return True
    return False


def _spare_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.spare")
