"""Who may speak now, who waits, who is sent away. Knows asyncio; knows no HTTP, no text, no model.

A request takes the short or the long lane by its length. Each lane has its places on each engine and one
bounded first-come queue. A place is given on the engine that has most to spare. A deadline counts from
arrival and covers the wait and the work. The permit goes back when
both the request and the engine are done with it, so work that is being cancelled still fills its place.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from glm_tts_api.errors import ClientGone, DeadlineExceeded, QueueFull
from glm_tts_api.speech.comeback import Comebacks
from glm_tts_api.speech.lane_limits import AdmissionConfig, TextLength
from glm_tts_api.stats.figures import LANES, LaneName
from glm_tts_api.stats.lane_counts import LaneCounters


class Permit:
    """The right to one place of a lane on an `engine`. `deadline` ends the work that it is for, `timeout_s`
    after that arrived."""

    def __init__(self, lane: _Lane, engine: int) -> None:
        self.lane = lane.name
        self.engine = engine
        self.deadline: asyncio.Timeout | None = None
        self.timeout_s = math.inf
        self._lane = lane
        self._holders = 0

    def move_to(self, engine: int) -> None:
        """The work goes on with another engine, which may have more than its share then."""
        self._lane.move(self.engine, engine)
        self.engine = engine

    @property
    def timeout_ratio(self) -> float:
        """How much of the time-out is used up, 1 for all of it."""
        when = self.deadline.when() if self.deadline else None
        return 0.0 if when is None else 1 - (when - asyncio.get_running_loop().time()) / self.timeout_s

    @contextmanager
    def waiting_for_client(self) -> Iterator[None]:
        """The deadline is for the work: the time inside is put on it."""
        deadline = self.deadline
        if deadline is None or deadline.expired() or (when := deadline.when()) is None:
            yield
            return
        loop = asyncio.get_running_loop()
        since = loop.time()
        deadline.reschedule(None)
        try:
            yield
        finally:
            deadline.reschedule(when + loop.time() - since)

    def hold(self) -> Callable[[], None]:
        """One more holder; the place is free once every holder has called what it got here."""
        self._holders += 1
        released = False

        def release() -> None:
            nonlocal released
            if released:
                return
            released = True
            self._holders -= 1
            if self._holders == 0:
                self._lane.end(self)

        return release


class _Lane:
    """One lane: its places on each engine, its queue, its counters. `best`: the engine to give a place on."""

    def __init__(
        self,
        name: LaneName,
        *,
        queue_size: int,
        counters: Sequence[LaneCounters],
        best: Callable[[_Lane], int | None],
    ) -> None:
        self.name = name
        self.counters = counters
        self.taken = [0] * len(counters)
        self._best = best
        self._queue_size = queue_size
        self._queue: deque[asyncio.Future[int]] = deque()
        self._comebacks = Comebacks()
        self._held_since: dict[Permit, float] = {}

    async def enter(self) -> Permit:
        """Waits in the queue for a place. Raises QueueFull at once when that is full."""
        engine = None if self._queue else self._best(self)
        if engine is None:
            engine = await self._wait()
        else:
            self._take(engine)
        self.counters[engine].add("total")
        permit = Permit(self, engine)
        self._held_since[permit] = time.monotonic()
        return permit

    def end(self, permit: Permit) -> None:
        self._comebacks.measure(time.monotonic() - self._held_since.pop(permit))
        self.leave(permit.engine)

    async def _wait(self) -> int:
        if len(self._queue) >= self._queue_size:
            raise QueueFull(
                f"The server is busy: {len(self._queue)} requests wait in the {self.name} lane. "
                "Try again soon.",
                self._comebacks.next(time.monotonic(), self._held_since.values()),
            )
        turn: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        self._count_waiting()
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # its place came in the same moment
                self.leave(turn.result())
            elif turn in self._queue:
                self._queue.remove(turn)
                self._count_waiting()
            raise

    def call_next(self) -> None:
        """Gives out the places that are free, in the order of the queue."""
        while self._queue and (engine := self._best(self)) is not None:
            turn = self._queue.popleft()
            if not turn.cancelled():
                self._take(engine)
                turn.set_result(engine)
        self._count_waiting()

    def _count_waiting(self) -> None:
        """One queue for all engines: it counts with the first."""
        self.counters[0].set("waiting", len(self._queue))

    def _take(self, engine: int) -> None:
        self.taken[engine] += 1
        self.counters[engine].add("active")

    def leave(self, engine: int) -> None:
        self.taken[engine] -= 1
        self.counters[engine].add("active", -1)
        self.call_next()

    def move(self, engine: int, to: int) -> None:
        self._take(to)
        self.leave(engine)


def _always(engine: int) -> int:
    return 1


def _as_set(engine: int) -> int:
    return 0


class Admission:
    """The one place where requests wait.

    `rank`: how good an engine is for a request now, 0 if it takes none; `n_slots`: requests that it speaks at
    once (see AdmissionConfig.on_slots).
    """

    def __init__(
        self,
        config: AdmissionConfig,
        counters: Sequence[dict[LaneName, LaneCounters]],
        rank: Callable[[int], int] = _always,
        n_slots: Callable[[int], int] = _as_set,
    ) -> None:
        """`counters`: of each engine."""
        self.config = config
        self._rank = rank
        self._n_slots = n_slots
        self._lanes = {
            name: _Lane(
                name,
                queue_size=config.queue_size,
                counters=[each[name] for each in counters],
                best=self._best,
            )
            for name in LANES
        }

    def limit_on(self, engine: int, lane: LaneName) -> int:
        """The places of a lane on an engine."""
        return self.config.on_slots(self._n_slots(engine)).limit_of(lane)

    def look_again(self) -> None:
        """To be called when an engine takes what it did not take before."""
        for lane in self._lanes.values():
            lane.call_next()

    def _best(self, lane: _Lane) -> int | None:
        """Of the engines of the highest rank with a place the one with the fewest requests; None if there is
        none."""
        loads = map(sum, zip(*(each.taken for each in self._lanes.values()), strict=True))
        free = [
            (rank, -load, -engine)
            for engine, load in enumerate(loads)
            if lane.taken[engine] < self.limit_on(engine, lane.name) and (rank := self._rank(engine))
        ]
        return -max(free)[2] if free else None

    @asynccontextmanager
    async def admit(self, length: TextLength, *, arrived_at: float) -> AsyncIterator[Permit]:
        """A permit for a text that arrived at `arrived_at` (the loop's clock), in its turn.

        The deadline holds for the wait and for the body of the context alike. Raises QueueFull or
        DeadlineExceeded.
        """
        lane, timeout_s = self._lanes[length.lane], length.timeout_s
        with _Outcome(lane) as outcome:
            try:
                async with asyncio.timeout_at(arrived_at + timeout_s) as deadline:
                    outcome.permit = permit = await lane.enter()
                    permit.deadline, permit.timeout_s = deadline, timeout_s
                    release = permit.hold()
                    try:
                        yield permit
                    finally:
                        release()
            except TimeoutError:
                if not deadline.expired():
                    raise
                raise DeadlineExceeded(
                    f"The request was not done within {timeout_s:g} s ({length.setting}); "
                    "its work is stopped."
                ) from None


class _Outcome:
    """Counts how a request ended, by the exception that it left with: for its engine, or for the first where
    it had none."""

    def __init__(self, lane: _Lane) -> None:
        self.permit: Permit | None = None
        self._lane = lane

    def __enter__(self) -> _Outcome:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._lane.counters[self.permit.engine if self.permit else 0].add(_counter_of(kind))


def _counter_of(kind: type[BaseException] | None) -> str:
    if kind is None:
        return "completed"
    if issubclass(kind, QueueFull):
        return "rejected"
    if issubclass(kind, DeadlineExceeded):
        return "timed_out"
    if issubclass(kind, (ClientGone, asyncio.CancelledError, GeneratorExit)):
        return "cancelled"
    return "failed"
