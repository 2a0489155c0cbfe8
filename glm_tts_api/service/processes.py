"""Processes and what they have open, as Linux's /proc tells."""

from __future__ import annotations

import ctypes
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Has the kernel kill this process when the thread that began it ends, in whatever way."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process(NamedTuple):
    """A process; its start tells it from a later one with the same PID."""

    pid: int
    started: int

    @property
    def is_alive(self) -> bool:
        return process(self.pid) == self

    @property
    def shown(self) -> str:
        return f"PID {self.pid}: {command_of(self.pid)[:110]}"


def process(pid: int) -> Process | None:
    """The process; None if it is gone, or a zombie."""
    found = _stat(pid)
    return found[0] if found else None


def family(pid: int) -> list[Process]:
    """A process and all that it and they started, as far as their parents live."""
    table = [stat for folder in _PROC.glob("[0-9]*") if (stat := _stat(int(folder.name)))]
    found = [each for each, _ in table if each.pid == pid]
    for parent in found:  # grows meanwhile
        found += [each for each, its_parent in table if its_parent == parent.pid]
    return found


def command_of(pid: int) -> str:
    """The command line of a process; empty if it is gone or a zombie."""
    try:
        raw = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode(errors="replace").strip()


def descriptor_of(pid: int | str, file: Path) -> int | None:
    """The descriptor by which a process has a file or folder open; None if it has not, or this user may not
    see it."""
    with suppress(OSError):
        wanted = file.stat()
        return next((number for number, each in open_files(pid) if os.path.samestat(each, wanted)), None)
    return None


def open_files(pid: int | str) -> list[tuple[int, os.stat_result]]:
    """A process's open files, by descriptor; none if this user may not see them. A busy process's files come
    and go meanwhile."""
    found = []
    with suppress(OSError):
        for link in (_PROC / str(pid) / "fd").iterdir():
            with suppress(FileNotFoundError):
                found.append((int(link.name), link.stat()))
    return found


def folder_of(pid: int) -> Path | None:
    """Its working directory."""
    with suppress(OSError):
        return Path(os.readlink(_PROC / str(pid) / "cwd").removesuffix(" (deleted)"))
    return None


def _stat(pid: int) -> tuple[Process, int] | None:
    """A process and its parent's PID."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else (Process(pid, int(fields[19])), int(fields[1]))
