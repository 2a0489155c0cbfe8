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
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

BEGIN_S = 1000.0  # the time at which each simulation begins
_SPINS = 200_000  # rounds of the loop without any time passing: the code under test is in a loop
_THREADS = 6  # of asyncio's own pool


class StuckError(KeyboardInterrupt):
    """Nothing can happen any more, or too much happens at one moment. No callback or task keeps this
    error."""


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
        self.now = BEGIN_S
        self.wall_offset = 1_800_000_000.0  # of the clock of days, in seconds since 1970
        self.chance = random.Random(seed)
        self.grain = 0.0
        self._spins = 0
        self._workers: dict[Any, asyncio.Semaphore] = {}
        self._numbers = count()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self.set_task_factory(
            lambda loop, work, **options: _Task(next(self._numbers), work, loop=loop, **options)
        )

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:  # type: ignore[override]
        if self.grain and when < math.inf:
            when = math.ceil(when / self.grain) * self.grain
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._numbers), timer))
        return timer

    def _run_once(self) -> None:
        ready, timers, due = self._ready, self._timers, list[asyncio.TimerHandle]()  # type: ignore[attr-defined]
        self._spins += 1
        if not ready:
            if not timers:
                raise StuckError("nothing can happen")
            self.now, self._spins = max(self.now, timers[0][0]), 0
        elif self._spins > _SPINS:
            raise StuckError(f"{_SPINS} rounds of the loop at one moment")
        while timers and timers[0][0] <= self.now:
            due.append(heapq.heappop(timers)[2])
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
        future: asyncio.Future[Any] = self.create_future()
        self.create_task(self._call(executor, partial(func, *args), future))
        return future

    async def _call(self, executor: Any, call: Callable[[], Any], future: asyncio.Future[Any]) -> None:
        if executor not in self._workers:
            self._workers[executor] = asyncio.Semaphore(getattr(executor, "_max_workers", _THREADS))
        async with self._workers[executor]:
            await asyncio.sleep(self._delay())
            if future.cancelled():
                return
            result = error = None
            try:
                result = call()
                if inspect.iscoroutine(result):
                    result = await result
            except Exception as its:
                error = its
            await asyncio.sleep(self._delay())
        if not future.done():
            future.set_result(result) if error is None else future.set_exception(error)

    def _delay(self) -> float:
        return self.chance.uniform(0.5, 3.0) if self.chance.random() < 0.002 else self.chance.random() * 0.004


_clock: Any = None


def follow(clock: Any) -> None:
    """Has all clocks of `time` show `clock.now`; the machine's if `clock` is None."""
    global _clock  # noqa: PLW0603
    _clock = clock


def _replace_clock(name: str) -> None:
    real = getattr(time, name)

    def now() -> float:
        if _clock is None:
            return float(real())
        return float(_clock.now + (_clock.wall_offset if name == "time" else 0.0))

    setattr(time, name, now)


for _name in ("time", "monotonic", "perf_counter"):
    _replace_clock(_name)
