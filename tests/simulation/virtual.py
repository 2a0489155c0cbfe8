"""Virtual time: an event loop whose clock jumps to the next timer, the clocks of `time`, and threads whose
calls run on the loop. All chance comes from one random generator, so a seed gives the same run each time.

Import this module before glm_tts_api, which takes some functions of `time` when it is imported.
"""

from __future__ import annotations

import asyncio
import heapq
import inspect
import math
import random
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

BEGIN_S = 1000.0  # the time at which each simulation begins
_SPINS = 200_000  # rounds of the loop without any time passing: the code under test is in a loop
_THREADS = 6  # of asyncio's own pool

clock: Any = None  # whose `now` all clocks of `time` show; None for the machine's


class StuckError(KeyboardInterrupt):
    """Nothing can happen any more, or too much happens at one moment. No callback or task keeps this
    error."""


class WrongError(Exception):
    """The history shows a fault of the code under test."""


def require(holds: object, what: str) -> None:
    if not holds:
        raise WrongError(what)


class Record:
    """The outcome of one seed. `reached` counts the failpoints and states that it passed, `waits` has the
    longest waits by kind, and `events` is its history."""

    def __init__(self, seed: int, clock: Any) -> None:
        self.seed, self.clock = seed, clock
        self.reached = Counter[str]()
        self.waits: dict[str, float] = {}
        self.events: list[str] = []

    def note(self, event: str, reaches: str = "") -> None:
        self.events.append(f"{self.clock.now:10.3f} {event}")
        if reaches:
            self.reached[reaches] += 1

    def wait(self, kind: str, seconds: float) -> None:
        self.waits[kind] = max(seconds, self.waits.get(kind, 0.0))


class _Task(asyncio.Task[Any]):
    """A task with a number as its hash: sets of tasks have the same order in each run of a seed."""

    def __init__(self, number: int, *args: Any, **options: Any) -> None:
        self._number = number
        super().__init__(*args, **options)

    def __hash__(self) -> int:
        return self._number


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs callbacks as asyncio does, and never waits. Timers that are due at the same moment, and calls in
    threads, have a random order, since asyncio promises none. With a `grain`, all timers are due at its
    multiples, so that much happens at the same moment."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.now, self.grain = BEGIN_S, 0.0
        self.wall_offset = 1_800_000_000.0  # of the clock of days, in seconds since 1970
        self.chance = random.Random(seed)
        self._spins, numbers = 0, count()
        self._workers: dict[Any, asyncio.Semaphore] = {}
        self.set_task_factory(lambda loop, work, **options: _Task(next(numbers), work, loop=loop, **options))

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:  # type: ignore[override]
        if self.grain and when < math.inf:
            when = math.ceil(when / self.grain) * self.grain
        return super().call_at(when, callback, *args, context=context)

    def _run_once(self) -> None:
        ready, timers, due = self._ready, self._scheduled, list[asyncio.TimerHandle]()  # type: ignore[attr-defined]
        self._spins += 1
        if not ready:
            if not timers:
                raise StuckError("nothing can happen")
            self.now, self._spins = max(self.now, timers[0].when()), 0
        elif self._spins > _SPINS:
            raise StuckError(f"{_SPINS} rounds of the loop at one moment")
        while timers and timers[0].when() <= self.now:
            due.append(heapq.heappop(timers))
        if len(due) > 1:
            self.chance.shuffle(due)
        ready.extend(due)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _write_to_self(self) -> None:
        """Is called by call_soon_threadsafe. The loop never sleeps."""

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Runs the call on the loop after a random time, when one of the pool's threads is free. The call
        itself takes no time, but its result comes later. A call that returns a coroutine waits for it."""
        return self.create_task(self._call(executor, partial(func, *args)))

    async def _call(self, executor: Any, call: Callable[[], Any]) -> Any:
        if executor not in self._workers:
            self._workers[executor] = asyncio.Semaphore(getattr(executor, "_max_workers", _THREADS))
        async with self._workers[executor]:
            await asyncio.sleep(self._delay())
            try:
                result = call()
                return await result if inspect.iscoroutine(result) else result
            finally:
                await asyncio.sleep(self._delay())

    def _delay(self) -> float:
        return self.chance.uniform(0.5, 3.0) if self.chance.random() < 0.002 else self.chance.random() * 0.004


def _follow_clock(name: str) -> None:
    real = getattr(time, name)

    def now() -> float:
        if clock is None:
            return float(real())
        return float(clock.now + (clock.wall_offset if name == "time" else 0.0))

    setattr(time, name, now)


for _name in ("time", "monotonic", "perf_counter"):
    _follow_clock(_name)
