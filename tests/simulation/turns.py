"""Threads that take turns: one runs at a time, and a seed says which.

A thread hands its turn on where it would wait (queues, locks, futures, ends of threads), and by chance before
any line of the watched files. So a seed gives the same order each time, and a wait that nobody ends is seen.
"""

from __future__ import annotations

import random
import sys
import threading
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Future
from types import FrameType
from typing import Any

from tests.simulation.virtual import BEGIN_S, StuckError

_MOST_TURNS = 200_000


class Turns:
    """Of the thread that makes it, and of each Thread that starts. A turn ends before a line of the files
    `watched` with the probability `often`. `now` is the time for the engine's clocks, and `n` the number of
    turns."""

    def __init__(self, chance: random.Random, watched: Collection[str], often: float) -> None:
        self.now, self.wall_offset, self.n = BEGIN_S, 0.0, 0
        self.chance, self._watched, self._often = chance, watched, often
        self.fault: BaseException | None = None
        self.current = Thread(self, lambda: None, "server", daemon=True)
        self.threads = [self.current]
        self._chooses = False

    def hand_on(self, until: Callable[[], object] = lambda: True) -> None:
        """Lets others run, and returns when `until` holds and it is this thread's turn. In the first thread,
        raises StuckError if nobody can go on, and the error that has ended another thread."""
        me = self.current
        me.until = until
        if (chosen := self.next()) is not me:
            chosen.go.release()
            me.go.acquire()
        if self.fault and me is self.threads[0]:
            raise self.fault

    def next(self) -> Thread:
        """Chooses whose turn it is."""
        self._chooses = True
        self.n += 1
        self.now += self.chance.random() * 0.002
        ready = [thread for thread in self.threads if thread.until()]
        if not ready or self.n > _MOST_TURNS:
            self.fault = self.fault or StuckError("each thread waits for another" if not ready else "no end")
        if self.fault:
            ready = self.threads[:1]
        (self.current,) = self.chance.choices(ready, [thread.weight for thread in ready])
        self._chooses = False
        return self.current

    def others_wait(self) -> bool:
        return not any(thread.until() for thread in self.threads[1:])

    def trace(self, frame: FrameType, *_: object) -> Any:
        return self._line if frame.f_code.co_filename in self._watched else None

    def _line(self, frame: FrameType, event: str, _: object) -> Any:
        if event == "line" and not self._chooses and self.chance.random() < self._often:
            self.hand_on()
        return self._line


# -- in the place of what threading, queue and concurrent.futures have


class Thread:
    """`until` says when it can go on."""

    def __init__(self, turns: Turns, target: Callable[[], None], name: str, daemon: bool) -> None:
        self._turns, self._target, self.name = turns, target, name
        self.weight = turns.chance.choice((1, 4, 16))
        self.until: Callable[[], object] = lambda: True
        self.go = threading.Semaphore(0)

    def start(self) -> None:
        self._turns.threads.append(self)
        threading.Thread(target=self._run, name=self.name, daemon=True).start()

    def is_alive(self) -> bool:
        return self in self._turns.threads

    def join(self, timeout: float) -> None:
        """However long it takes: no step takes ten seconds here."""
        self._turns.hand_on(lambda: not self.is_alive())

    def _run(self) -> None:
        self.go.acquire()
        sys.settrace(self._turns.trace)
        try:
            self._target()
        except BaseException as error:
            self._turns.fault = error
        sys.settrace(None)
        self._turns.threads.remove(self)
        self._turns.next().go.release()


class Lock:
    def __init__(self, turns: Turns) -> None:
        self._turns, self._held = turns, False

    def __enter__(self) -> None:
        self._turns.hand_on(lambda: not self._held)
        self._held = True

    def __exit__(self, *_: object) -> None:
        self._held = False


class Queue:
    def __init__(self, turns: Turns) -> None:
        self._turns, self._items = turns, deque[Any]()
        self.put = self._items.append

    def empty(self) -> bool:
        return not self._items

    def get(self) -> Any:
        self._turns.hand_on(lambda: self._items)
        return self._items.popleft()


class Answer(Future[Any]):
    def __init__(self, turns: Turns) -> None:
        super().__init__()
        self._turns = turns

    def result(self, timeout: float | None = None) -> Any:
        self._turns.hand_on(self.done)
        return super().result()
