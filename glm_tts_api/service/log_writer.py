"""Writes the log file in a process of its own:

    python -m glm_tts_api.service.log_writer [--copy] [--json] FILE

All processes of a server write into one pipe, which this process reads. So the output of native code and of
the interpreter is in the log too, and no line is torn. Writing never blocks, and a writer that died is
replaced. A line that does not fit into the pipe is not logged (`logs.py` counts such lines). If the server
waited instead, it would stand still whenever its writer does.
"""

from __future__ import annotations

import argparse
import fcntl
import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from queue import Full, Queue
from threading import Thread
from typing import BinaryIO

from psutil import Process

from glm_tts_api.errors import StartupError
from glm_tts_api.logs import json_line

logger = logging.getLogger(__name__)
_PIPE_BYTES = 2**20  # Linux's default limit for users other than root
_AGAIN_S = 1.0

_LONGEST_LINE = 2**20  # a longer line is written in pieces
# SIGTTOU would stop a background job that writes to its terminal.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP, signal.SIGTTOU)
_STDOUT = 1
_UNREAD_LINES = 8192  # the most lines of the copy that wait for their reader
_LAST_S = 2.0  # how long the last lines of the copy may wait for their reader


def write_into(log_file: Path, *, as_json: bool) -> None:
    """Sends stdout and stderr of this process and its later children to `log_file` from now on, and also to
    where they went before. `as_json` makes each line JSON. If stdout is `log_file` already, nothing changes
    unless `as_json` is set. Raises StartupError."""
    with opened(log_file) as file:
        goes_there = os.path.sameopenfile(1, file.fileno())
    options = ["--json"] * as_json + ["--copy"] * (not goes_there)
    if not options:
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    # Processes can tear each other's lines only in a full pipe, so a large pipe is best.
    with suppress(OSError):
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    command = [sys.executable, "-m", "glm_tts_api.service.log_writer", *options, "--", str(log_file)]
    out = os.dup(1)
    writer = _start(command, reading, out)
    for descriptor in (1, 2):
        os.dup2(writing, descriptor)
    os.close(writing)
    Thread(target=_replace, args=(writer, command, reading, out), name="log-writer", daemon=True).start()


def opened(log_file: Path) -> BinaryIO:
    """Opens LOG_FILE, which is `log_file`, to append to it. Makes its folder. Raises StartupError."""
    try:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        return log_file.open("ab")
    except IsADirectoryError:
        raise StartupError(f"LOG_FILE={log_file}: is a folder; name a file in it.") from None
    except OSError as error:
        raise StartupError(
            f"LOG_FILE={log_file}: user {Process().username()} cannot write it ({error.strerror}); choose "
            "another place."
        ) from None


def _replace(writer: subprocess.Popen[bytes], command: list[str], reading: int, out: int) -> None:
    while True:
        writer.wait()
        time.sleep(_AGAIN_S)
        writer = _start(command, reading, out)
        logger.warning("The process that writes the log had ended; another (PID %d) goes on", writer.pid)


def _start(command: list[str], reading: int, out: int) -> subprocess.Popen[bytes]:
    """Starts the log writer, which reads the pipe `reading` and copies to `out`. Its stderr is `out` too,
    since this process's stderr is the pipe and the writer would keep its own pipe open."""
    return subprocess.Popen(command, stdin=reading, stdout=out, stderr=out)


class Copy:
    """Copies lines to stdout in a thread of its own, so that no process waits for a slow reader. At most 8192
    lines wait; further lines are dropped, and one line with their number is written in their place. `file` is
    the log file that has the dropped lines."""

    def __init__(self, file: Path, *, as_json: bool) -> None:
        self._file = file
        self._as_json = as_json
        self._lines: Queue[bytes] = Queue(_UNREAD_LINES)
        self._n_left_out = 0
        self._thread = Thread(target=self._write_all, daemon=True)
        self._thread.start()

    def write(self, line: bytes) -> None:
        # After a drop, lines are dropped until half is free, so that not every one gets its own notice.
        if self._lines.qsize() > (_UNREAD_LINES // 2 if self._n_left_out else _UNREAD_LINES - 1):
            self._n_left_out += 1
        else:
            self._tell_what_is_left_out()
            self._lines.put(line)

    def end(self) -> None:
        """Waits until the remaining lines are written to stdout, for two seconds at most."""
        with suppress(Full):
            self._tell_what_is_left_out()
            self._lines.put(b"", timeout=_LAST_S / 2)
            self._thread.join(_LAST_S / 2)

    def _tell_what_is_left_out(self) -> None:
        if self._n_left_out:
            where = "" if self._file == Path(os.devnull) else f"; {self._file} has them"
            notice = f"{self._n_left_out} lines are missing here, for nobody read them{where}"
            self._lines.put(_as_json(notice) if self._as_json else f"{notice}\n".encode(), timeout=_LAST_S)
            self._n_left_out = 0

    def _write_all(self) -> None:
        while line := self._lines.get():
            with suppress(OSError):  # the terminal is gone
                os.write(_STDOUT, line)


def main() -> None:
    """Copies stdin to the log file until every process that holds the pipe has ended. Signals from a terminal
    or a supervisor are ignored."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    arguments = _parse()
    file = os.open(arguments.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    copy = Copy(arguments.file, as_json=arguments.json) if arguments.copy else None
    while line := sys.stdin.buffer.readline(_LONGEST_LINE):
        if arguments.json and not line.startswith(b"{"):
            line = _as_json(line.decode(errors="replace").rstrip("\n"))
        with suppress(OSError):  # a full disk; there may be room for the next
            _append(file, line)
        if copy is not None:
            copy.write(line)
    if copy is not None:
        copy.end()


def _append(file: int, line: bytes) -> None:
    """Appends `line` to the file, or nothing if the disk has no room for the whole line. Raises OSError."""
    n_bytes = os.fstat(file).st_size
    if os.write(file, line) < len(line):
        os.ftruncate(file, n_bytes)


def _as_json(line: str) -> bytes:
    return json_line("stderr", line).encode() + b"\n"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m glm_tts_api.service.log_writer")
    parser.add_argument("file", type=Path)
    parser.add_argument("--copy", action="store_true", help="writes it to stdout as well")
    parser.add_argument("--json", action="store_true", help="makes a JSON object of a line that is none")
    return parser.parse_args()


if __name__ == "__main__":
    main()
