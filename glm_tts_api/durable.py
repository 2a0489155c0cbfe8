"""Replaces files atomically: if the process is killed at any moment, the old file or the new one is there.
Tells users what to do about a disk that is full or cannot be written."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from glm_tts_api.errors import StorageFull, Unhealthy

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SPARE_BYTES = 2**16
ResultT = TypeVar("ResultT")


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


@contextmanager
def told_what_to_do(full: str, unwritable: str, only: Collection[int] = ()) -> Iterator[None]:
    """Raises an error for the user in place of an OSError in the `with` block: StorageFull with the message
    `full` if the disk is full, else Unhealthy with `unwritable`. In `unwritable`, {} stands for the reason.
    With `only`, an OSError whose number is not in it passes unchanged."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise StorageFull(full) from error
        if only and error.errno not in only:
            raise
        raise Unhealthy(unwritable.format(error.strerror or error)) from error


def change_file(path: Path, write: Callable[[], ResultT], *, frees: bool) -> ResultT:
    """Calls `write`, which replaces the file `path`, and returns its result. A spare file beside `path`
    reserves room for the next change: the size of `path` and 64 KiB more. `frees` says that the change makes
    the file smaller. On a full disk such a change gives up the spare file and calls `write` again."""
    spare = path.with_name(f".{path.name}.spare")
    try:
        result = write()
    except OSError as error:
        if not (frees and is_full(error) and spare.exists()):
            raise
        spare.unlink()
        result = write()
    with suppress(OSError), spare.open("ab") as file:
        wanted = path.stat().st_size + _SPARE_BYTES
        if file.tell() < wanted:
            os.posix_fallocate(file.fileno(), 0, wanted)
    return result
