"""Messages of the commands to their user: a line a step."""

from __future__ import annotations

import os
import pwd
import shutil
import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

SIGN_OF_LIFE_S = 60.0  # where there is no terminal whose line can be written over
_DRAW_S = 0.2
_OVER = "\r\x1b[K"
_WIDE = 4  # columns: the sentence that is spoken has characters that take two
_lock = threading.Lock()


class Failed(Exception):
    """A step was tried and did not work; exit code 1."""


def say(line: str, stream: TextIO | None = None, end: str = "\n") -> None:
    """Prints. A terminal that is gone is no reason to stop."""
    stream = stream or sys.stdout
    try:
        print(line, end=end, file=stream, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def user() -> str:
    """This user's name, or number where the machine has no name for it."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


class Step:
    """A context that tells what is being done. On a terminal that is one line, which counts the seconds;
    notes follow when it ends. Elsewhere each line comes at once, and a sign of life each minute."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._begin = self._said = time.monotonic()
        self._doing: Callable[[], str] = str
        self._notes: list[str] = []
        self._over = threading.Event()
        self._is_terminal = sys.stdout.isatty()
        self._thread = threading.Thread(target=self._draw, daemon=True)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begin

    def __enter__(self) -> Step:
        say(self._title, end="" if self._is_terminal else "\n")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if self._is_terminal:
            say("\n".join([f"{_OVER}{self._title}: {self.seconds:.0f} s", *self._notes]))
        elif self.seconds >= 1:
            say(f"  took {self.seconds:.0f} s")

    def note(self, line: str) -> None:
        """Tells something that stays."""
        with _lock:
            if self._is_terminal:
                self._notes.append(f"  {line}")
            else:
                self._say(line)

    def doing(self, what: str | Callable[[], str]) -> None:
        """Tells what goes on now; a function is asked again and again."""
        if not self._is_terminal and isinstance(what, str) and what != self._doing():
            self.note(what)
        self._doing = what if callable(what) else lambda: what

    def _draw(self) -> None:
        while not self._over.wait(_DRAW_S):
            with _lock:
                what, seconds = self._doing() or "at it", f", {self.seconds:.0f} s"
                if self._is_terminal:
                    width = shutil.get_terminal_size().columns - len(seconds) - _WIDE
                    say(f"{_OVER}{f'{self._title}: {what}'[:width]}{seconds}", end="")
                elif time.monotonic() - self._said >= SIGN_OF_LIFE_S:
                    self._say(f"{what}{seconds}")

    def _say(self, line: str) -> None:
        say(f"  {line}")
        self._said = time.monotonic()
