"""Writes the lines that come on stdin into the log file, and begins a new file when one is full.

    python -m glm_tts_api.service.log_writer [--copy] [--json] [--max-bytes N] [--backups N] FILE

All processes of a server write into one pipe, which this process reads. So no line is lost and no lock is
needed when the file changes, and the output of native code and of the interpreter is in the log too. Full
files are FILE.1 (the newest) to FILE.N. A file that somebody else has moved away is left there at the next
change.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path

from glm_tts_api.logs import json_line

BACKUPS = 5  # full files that are kept, in addition to the file that is being written
_LONGEST_LINE = 2**20  # a longer line is written in pieces
# SIGTTOU would stop a background job that writes to its terminal.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP, signal.SIGTTOU)
_STDOUT = 1
_UNREAD_BYTES = 4 * 2**20  # the most bytes of the copy that wait for their reader
_LAST_S = 2.0  # how long the last lines of the copy may wait for their reader


class RotatingFile:
    """Appends lines to the file `path`. A line that would make the file larger than `max_bytes` begins a new
    file; 0 is no limit. `backups` is the number of full files that are kept."""

    def __init__(self, path: Path, *, max_bytes: int, backups: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._backups = backups
        self._descriptor = self._open()

    def write(self, line: bytes) -> None:
        """Appends `line` to the file, or nothing if the disk has no room for the whole line. Begins a new
        file first if `line` does not fit below `max_bytes`. Raises OSError."""
        n_bytes = os.fstat(self._descriptor).st_size
        if n_bytes and 0 < self._max_bytes < n_bytes + len(line):
            self._begin_anew()
            n_bytes = os.fstat(self._descriptor).st_size
        if os.write(self._descriptor, line) < len(line):
            os.ftruncate(self._descriptor, n_bytes)

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def _begin_anew(self) -> None:
        with suppress(OSError):  # if the file may not be renamed, it grows beyond its limit
            if self._is_ours():
                rotate(self._path, self._backups)
            full, self._descriptor = self._descriptor, self._open()
            os.close(full)

    def _is_ours(self) -> bool:
        """Returns whether `path` is still the file that is open here; false after somebody moved the file
        away."""
        with suppress(FileNotFoundError):
            return os.path.samestat(self._path.stat(), os.fstat(self._descriptor))
        return False


def rotate(path: Path, backups: int = BACKUPS) -> None:
    """Makes room for a new file `path`: renames `path` to `path`.1, `path`.1 to `path`.2 and so on; the last
    of `backups` files is overwritten. Raises OSError."""
    names = [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, backups + 1))]
    for older, newer in zip(reversed(names), reversed(names[:-1]), strict=False):
        if newer is path or newer.is_file():
            newer.replace(older)


class Copy:
    """Copies lines to stdout in a thread of its own, so that no process waits for a slow reader. At most 4
    MiB of lines wait; further lines are dropped, and one line with their number is written in their place.
    `file` is the log file that has the dropped lines."""

    def __init__(self, file: Path, *, as_json: bool) -> None:
        self._file = file
        self._as_json = as_json
        self._lines: deque[bytes] = deque()
        self._n_bytes = 0
        self._n_left_out = 0
        self._changed = threading.Condition()
        threading.Thread(target=self._write_all, daemon=True).start()

    def write(self, line: bytes) -> None:
        with self._changed:
            # After a drop, lines are dropped until half is free, so that not every one gets its own notice.
            room = _UNREAD_BYTES // 2 if self._n_left_out else _UNREAD_BYTES
            if self._n_bytes + len(line) > room:
                self._n_left_out += 1
            else:
                self._tell_what_is_left_out()
                self._append(line)

    def end(self) -> None:
        """Waits until the remaining lines are written to stdout, for two seconds at most."""
        with self._changed:
            self._tell_what_is_left_out()
            self._changed.wait_for(lambda: not self._lines, _LAST_S)

    def _tell_what_is_left_out(self) -> None:
        if self._n_left_out:
            where = "" if self._file == Path(os.devnull) else f"; {self._file} has them"
            notice = f"{self._n_left_out} lines are missing here, for nobody read them{where}"
            self._append(_as_json(notice) if self._as_json else f"{notice}\n".encode())
            self._n_left_out = 0

    def _append(self, line: bytes) -> None:
        self._lines.append(line)
        self._n_bytes += len(line)
        self._changed.notify_all()

    def _write_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._lines))
                line = self._lines[0]
            with suppress(OSError):  # the terminal is gone
                os.write(_STDOUT, line)
            with self._changed:
                self._lines.popleft()
                self._n_bytes -= len(line)
                self._changed.notify_all()


def main() -> None:
    """Copies stdin to the log file until every process that holds the pipe has ended. Signals from a terminal
    or a supervisor are ignored."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    arguments = _parse()
    file = RotatingFile(arguments.file, max_bytes=arguments.max_bytes, backups=arguments.backups)
    copy = Copy(arguments.file, as_json=arguments.json) if arguments.copy else None
    while line := sys.stdin.buffer.readline(_LONGEST_LINE):
        if arguments.json and not line.startswith(b"{"):
            line = _as_json(line.decode(errors="replace").rstrip("\n"))
        with suppress(OSError):  # a full disk; there may be room for the next
            file.write(line)
        if copy is not None:
            copy.write(line)
    if copy is not None:
        copy.end()


def _as_json(line: str) -> bytes:
    return json_line("stderr", line).encode() + b"\n"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m glm_tts_api.service.log_writer")
    parser.add_argument("file", type=Path)
    parser.add_argument("--copy", action="store_true", help="writes it to stdout as well")
    parser.add_argument("--json", action="store_true", help="makes a JSON object of a line that is none")
    parser.add_argument("--max-bytes", type=int, default=0)
    parser.add_argument("--backups", type=int, default=BACKUPS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
