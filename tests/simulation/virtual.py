"""Virtual time: an event loop whose clock jumps to the next timer, the clocks of `time`, and threads whose
calls run on the loop. All chance comes from one random generator, so a seed gives the same run each time.

Import this module before glm_tts_api, which takes some functions of `time` when it is imported.
"""

from __future__ import annotations

import asyncio
import heapq
import inspect
import random
import secrets
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from functools import partial
from itertools import count
from typing import Any, Protocol

BEGIN_S = 1000.0  # the time at which each simulation begins
_WALL_AT_FIRST = 1_800_000_000.0  # seconds since 1970
_SPINS = 200_000  # rounds of the loop without any time passing: the code under test is in a loop
_THREADS = 6  # of asyncio's own pool
_SOON_S = 2.5  # a timer that is due within this time may be a tick, which is repeated for ever


class StuckError(KeyboardInterrupt):
    """Nothing can happen any more, or too much happens at one moment. No callback or task keeps this
    error."""


class _Task(asyncio.Task[Any]):
    """A task with a number as its hash: sets of tasks have the same order in each run of a seed."""

    _numbers = count()

    def __new__(cls, *_: Any, **__: Any) -> _Task:
        task = super().__new__(cls)
        task.number = next(cls._numbers)
        return task

    number: int

    def __hash__(self) -> int:
        return self.number


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs callbacks as asyncio does, and never waits. Timers that are due at the same moment, and calls in
    threads, have a random order, since asyncio promises none."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.now = BEGIN_S
        self.wall_offset = _WALL_AT_FIRST
        self.chance = chance
        self.skipped_s = 0.0  # time in which only ticks would have run
        self._spins = 0
        self._calls: dict[Any, deque[tuple[Callable[[], Any], asyncio.Future[Any]]]] = {}
        self._at_work: Counter[Any] = Counter()
        self.set_task_factory(lambda loop, work, **options: _Task(work, loop=loop, **options))

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        loop: Any = self
        ready, timers = loop._ready, loop._scheduled
        if not ready and timers:
            self.now, self._spins = max(self.now, timers[0]._when), 0
        self._spins += 1
        if self._spins > _SPINS or not (ready or timers):
            raise StuckError(f"{_SPINS} rounds of the loop at one moment" if timers else "nothing can happen")
        due = []
        while timers and timers[0]._when <= self.now:
            due.append(heapq.heappop(timers))
            due[-1]._scheduled = False
        self.chance.shuffle(due)
        ready.extend(due)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _write_to_self(self) -> None:
        """Is called by call_soon_threadsafe. The loop never sleeps."""

    def skip(self, most_s: float) -> None:
        """Lets up to `most_s` seconds pass at once, until shortly before the next timer that is no tick. The
        caller knows that nothing but ticks would run, and that these would change nothing."""
        loop: Any = self
        timers = [each for each in loop._scheduled if not each._cancelled]
        later = [each._when for each in timers if each._when > self.now + _SOON_S]
        by = min([most_s, *(when - self.now - 2 * _SOON_S for when in later)])
        if by > 0:
            for each in timers:
                if each._when <= self.now + _SOON_S:
                    each._when += by
            heapq.heapify(timers)
            loop._scheduled = timers
            self.now += by
            self.skipped_s += by

    # -- threads

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Runs the call on the loop after a random time, when one of the pool's threads is free. The call
        itself takes no time, but its result comes later. A call that returns a coroutine waits for it."""
        future: asyncio.Future[Any] = self.create_future()
        self._calls.setdefault(executor, deque()).append((partial(func, *args), future))
        self._begin_calls(executor)
        return future

    def _begin_calls(self, executor: Any) -> None:
        calls = self._calls[executor]
        while calls and self._at_work[executor] < getattr(executor, "_max_workers", _THREADS):
            call, future = calls.popleft()
            if not future.cancelled():
                self._at_work[executor] += 1
                self.call_later(self._delay(), self._run, executor, call, future)

    def _delay(self) -> float:
        return self.chance.uniform(0.5, 3.0) if self.chance.random() < 0.002 else self.chance.random() * 0.004

    def _run(self, executor: Any, call: Callable[[], Any], future: asyncio.Future[Any]) -> None:
        try:
            result = call()
        except BaseException as error:
            self.call_later(self._delay(), self._done, executor, future, None, error)
            return
        if inspect.iscoroutine(result):
            self.create_task(result).add_done_callback(
                lambda task: self._done(executor, future, task.result(), None)
            )
        else:
            self.call_later(self._delay(), self._done, executor, future, result, None)

    def _done(self, executor: Any, future: asyncio.Future[Any], result: Any, error: Any) -> None:
        self._at_work[executor] -= 1
        if not future.done():
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
        self._begin_calls(executor)

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """There are no threads."""


class Clock(Protocol):
    now: float
    wall_offset: float


_loop: Clock | None = None
_REAL = {name: getattr(time, name) for name in ("time", "monotonic", "perf_counter")}


def real_time() -> float:
    return float(_REAL["perf_counter"]())


def _clock(name: str) -> Callable[[], float]:
    def now() -> float:
        if _loop is None:
            return float(_REAL[name]())
        return _loop.now + (_loop.wall_offset if name == "time" else 0.0)

    return now


for _name in _REAL:
    setattr(time, _name, _clock(_name))


def follow(clock: Clock | None) -> None:
    """Has all clocks of `time` show this one; None: the machine's."""
    global _loop  # noqa: PLW0603
    _loop = clock


def run(main: Callable[[VirtualLoop], Coroutine[Any, Any, None]], seed: int) -> VirtualLoop:
    """Runs `main` to its end in virtual time and returns the loop. Raises its error, and StuckError."""
    chance = random.Random(seed)
    follow(loop := VirtualLoop(chance))
    kept = uuid.uuid4, secrets.token_hex
    uuid.uuid4 = lambda: uuid.UUID(int=chance.getrandbits(128), version=4)
    secrets.token_hex = lambda nbytes=None: chance.randbytes(nbytes or 32).hex()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(main(loop))
    finally:
        follow(None)
        uuid.uuid4, secrets.token_hex = kept
        _Task._numbers = count()
        asyncio.set_event_loop(None)
        loop.close()
    return loop
