"""Finds processes, and reads files of the system about them. Also has functions that tie this process's life
to its parent's and speed up its imports."""

from __future__ import annotations

import ctypes
import gc
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from psutil import STATUS_ZOMBIE, Error, Process

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


def is_alive(process: Process) -> bool:
    """Returns whether the process runs; a zombie does not."""
    with suppress(Error):
        return process.is_running() and process.status() != STATUS_ZOMBIE
    return False


def family(pid: int) -> list[Process]:
    """Returns the process with this PID and all its living descendants; an empty list if the process has
    ended. A descendant whose parent has ended is not found."""
    with suppress(Error):
        head = Process(pid)
        return [each for each in (head, *head.children(recursive=True)) if is_alive(each)]
    return []


def cpu_seconds(pid: int) -> float:
    """Returns the processor time that a process has used; 0 if the process has ended."""
    with suppress(Error):
        times = Process(pid).cpu_times()
        return times.user + times.system
    return 0.0


def command_of(process: Process) -> str:
    """Returns the command line of a process; empty if the process has ended or is a zombie."""
    with suppress(Error):
        return " ".join(process.cmdline()).strip()
    return ""


def text_of(file: Path) -> str:
    """Returns the file's text; empty if the file is missing or cannot be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def number_in(file: Path, name: str) -> int:
    """Returns the number after `name` in the line of `file` that begins with `name`. Returns 0 if there is no
    such line or the file cannot be read."""
    rows = (line.split() for line in text_of(file).splitlines())
    return next((int(row[1]) for row in rows if row and row[0] == name), 0)


def shown(process: Process) -> str:
    return f"PID {process.pid}: {command_of(process)[:110]}"
