"""Prints the messages of the commands to their user, one line for each step."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from typing import TextIO

SIGN_OF_LIFE_S = 60.0  # how often a long step prints a line where the output is no terminal
_DRAW_S = 0.2
_OVER = "\r\x1b[K"
_WIDE = 4  # spare columns, since characters of the Chinese test sentence take two columns each
_lock = threading.Lock()


def say(line: str, stream: TextIO | None = None, end: str = "\n") -> None:
    """Prints a line to `stream` (by default stdout). If the terminal is gone, later output goes to /dev/null
    and no error is raised."""
    stream = stream or sys.stdout
    try:
        print(line, end=end, file=stream, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Step:
    """A context manager that shows the user what the command is doing. On a terminal one line shows the title
    and counts the seconds, and the notes follow when the step ends. Without a terminal each line is printed
    at once, and a line each minute shows that the step goes on."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._begin = self._said = time.monotonic()
        self._doing = "at it"
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
        """Shows the user a line that stays on the screen. On a terminal the line is printed when the step
        ends, else at once."""
        with _lock:
            if self._is_terminal:
                self._notes.append(f"  {line}")
            else:
                self._say(line)

    def doing(self, what: str) -> None:
        """Sets the text that says what is going on now. Without a terminal, a new text is printed at once."""
        if not self._is_terminal and what != self._doing:
            self.note(what)
        self._doing = what

    def _draw(self) -> None:
        while not self._over.wait(_DRAW_S):
            with _lock:
                seconds = f", {self.seconds:.0f} s"
                if self._is_terminal:
                    width = shutil.get_terminal_size().columns - len(seconds) - _WIDE
                    say(f"{_OVER}{f'{self._title}: {self._doing}'[:width]}{seconds}", end="")
                elif time.monotonic() - self._said >= SIGN_OF_LIFE_S:
                    self._say(f"{self._doing}{seconds}")

    def _say(self, line: str) -> None:
        say(f"  {line}")
        self._said = time.monotonic()
