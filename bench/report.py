"""Shows progress on stderr, so that stdout has only the figures."""

from __future__ import annotations

import sys
import time

_WIDTH = 30


class Progress:
    """Counts `total` steps.

    Shows a progress bar if stderr is a terminal, and otherwise a line now and then.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._last = 0.0

    def step(self) -> None:
        self._done += 1
        self.note("")

    def note(self, words: str) -> None:
        live = sys.stderr.isatty()
        if not live and time.monotonic() - self._last < 10:
            return
        self._last = time.monotonic()
        filled = _WIDTH * self._done // self._total
        bar = "#" * filled + "-" * (_WIDTH - filled)
        print(
            f"\r[{bar}] {self._done}/{self._total} {words}",
            end="" if live else "\n",
            file=sys.stderr,
            flush=True,
        )

    def close(self) -> None:
        if sys.stderr.isatty():
            print(file=sys.stderr)
