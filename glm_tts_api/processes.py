"""Reads processes and their open files from Linux's /proc. Also has functions that tie this process's life to
its parent's and speed up its imports."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Has the kernel kill this process when the parent's thread that started it ends, for whatever reason."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def importing() -> Iterator[None]:
    """Switches the garbage collector off inside the `with` block. At the end of the block, exempts all
    objects that exist then from later collections. Used around imports, whose objects live as long as the
    process."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


class Process(NamedTuple):
    """A running process. `started` is its start time in clock ticks since boot; a later process with the same
    PID has another one."""

    pid: int
    started: int

    @property
    def is_alive(self) -> bool:
        return process(self.pid) == self

    @property
    def shown(self) -> str:
        return f"PID {self.pid}: {command_of(self.pid)[:110]}"


def process(pid: int) -> Process | None:
    """Returns the process with this PID; None if it has ended or is a zombie."""
    found = _stat(pid)
    return found[0] if found else None


def family(pid: int) -> list[Process]:
    """Returns the process with this PID and all its living descendants; an empty list if the process has
    ended. A descendant whose parent has ended is not found."""
    table = [stat for folder in _PROC.glob("[0-9]*") if (stat := _stat(int(folder.name)))]
    found = [each for each, _ in table if each.pid == pid]
    for parent in found:  # the list grows inside the loop
        found += [each for each, its_parent in table if its_parent == parent.pid]
    return found


def cpu_ticks(pid: int) -> int:
    """Returns the processor time that a process has used, in clock ticks; 0 if the process has ended."""
    fields = _fields(pid)
    return int(fields[11]) + int(fields[12]) if fields else 0


def command_of(pid: int) -> str:
    """Returns the command line of a process; empty if the process has ended or is a zombie."""
    try:
        raw = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode(errors="replace").strip()


def descriptor_of(pid: int | str, file: Path) -> int | None:
    """Returns the descriptor under which the process `pid` has `file` (a file or folder) open. Returns None
    if the process does not have `file` open, or if this user may not see the process."""
    with suppress(OSError):
        wanted = file.stat()
        return next((number for number, each in open_files(pid) if os.path.samestat(each, wanted)), None)
    return None


def open_files(pid: int | str) -> list[tuple[int, os.stat_result]]:
    """Returns the open files of a process, each as its descriptor and its stat result. Empty if this user may
    not see them. Files that are closed meanwhile are left out."""
    found = []
    with suppress(OSError):
        for link in (_PROC / str(pid) / "fd").iterdir():
            with suppress(FileNotFoundError):
                found.append((int(link.name), link.stat()))
    return found


def folder_of(pid: int) -> Path | None:
    """Returns the working directory of a process; None if the process has ended or this user may not see
    it."""
    with suppress(OSError):
        return Path(os.readlink(_PROC / str(pid) / "cwd").removesuffix(" (deleted)"))
    return None


def _stat(pid: int) -> tuple[Process, int] | None:
    """Returns the process with this PID and the PID of its parent; None if the process has ended or is a
    zombie."""
    fields = _fields(pid)
    return (Process(pid, int(fields[19])), int(fields[1])) if fields and fields[0] not in "ZX" else None


def _fields(pid: int) -> list[str]:
    """Returns what /proc/PID/stat has after the process's name; empty if the process has ended."""
    try:
        return (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
