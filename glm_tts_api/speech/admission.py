"""Who may speak now, who waits, who is sent away. Knows asyncio; knows no HTTP, no text, no model.

A request takes the short or the long lane by its length. Each lane has a semaphore and a bounded
first-come queue. A deadline counts from arrival and covers the wait and the work. The permit goes back when
both the request and the engine are done with it, so work that is being cancelled still fills its place.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from glm_tts_api.errors import ClientGone, DeadlineExceeded, QueueFull
from glm_tts_api.stats.figures import LANES, LaneName
from glm_tts_api.stats.lane_counts import LaneCounters

SHORT_TEXT_CHARS = (
    50  # up to here SHORT_TEXT_TIMEOUT holds; the rest of the short lane has MEDIUM_TEXT_TIMEOUT
)


@dataclass(frozen=True, slots=True)
class TextLength:
    """The length of a text in characters, the lane that it takes, its time-out in seconds and the setting of
    that."""

    n_chars: int
    lane: LaneName
    timeout_s: float
    setting: str


@dataclass(frozen=True, slots=True)
class AdmissionConfig:
    """Limits of one worker; time-outs in seconds from arrival."""

    short_limit: int = 15
    long_limit: int = 5
    threshold: int = 200
    short_timeout_s: float = 60
    medium_timeout_s: float = 300
    long_timeout_s: float = 600
    queue_size: int = 100

    def __post_init__(self) -> None:
        if self.short_limit < 1 or self.long_limit < 1 or self.queue_size < 0:
            raise ValueError("lane limits must be at least 1, the queue size at least 0")

    @property
    def most_requests(self) -> int:
        """That may be spoken or wait at once."""
        return self.short_limit + self.long_limit + 2 * self.queue_size

    def limit_of(self, lane: LaneName) -> int:
        return self.short_limit if lane == "short_text" else self.long_limit

    def measure(self, n_chars: int) -> TextLength:
        if n_chars > self.threshold:
            return TextLength(n_chars, "long_text", self.long_timeout_s, "LONG_TEXT_TIMEOUT")
        if n_chars > SHORT_TEXT_CHARS:
            return TextLength(n_chars, "short_text", self.medium_timeout_s, "MEDIUM_TEXT_TIMEOUT")
        return TextLength(n_chars, "short_text", self.short_timeout_s, "SHORT_TEXT_TIMEOUT")


class Permit:
    """The right to one place in a lane. `deadline` ends the work that it is for, `timeout_s` after that
    arrived."""

    def __init__(self, lane: LaneName, give_back: Callable[[], None]) -> None:
        self.lane = lane
        self.deadline: asyncio.Timeout | None = None
        self.timeout_s = math.inf
        self._give_back = give_back
        self._holders = 0

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
                self._give_back()

        return release


class _Lane:
    """One lane: its places, its queue, its counters."""

    def __init__(self, name: LaneName, *, limit: int, queue_size: int, counters: LaneCounters) -> None:
        self.name = name
        self.counters = counters
        self._places = asyncio.Semaphore(limit)
        self._queue_size = queue_size
        self._waiting = 0

    async def enter(self) -> Permit:
        """Waits in the queue for a place. Raises QueueFull at once when that is full."""
        if self._places.locked() and self._waiting >= self._queue_size:
            raise QueueFull(
                f"The server is busy: {self._waiting} requests wait in the {self.name} lane. Try again soon."
            )
        self._wait(1)
        try:
            await self._places.acquire()
        finally:
            self._wait(-1)
        self.counters.add("total")
        self.counters.add("active")
        return Permit(self.name, self._leave)

    def _wait(self, amount: int) -> None:
        self._waiting += amount
        self.counters.add("waiting", amount)

    def _leave(self) -> None:
        self._places.release()
        self.counters.add("active", -1)


class Admission:
    """The one place where requests wait."""

    def __init__(self, config: AdmissionConfig, counters: dict[LaneName, LaneCounters]) -> None:
        self.config = config
        self._lanes = {
            name: _Lane(
                name, limit=config.limit_of(name), queue_size=config.queue_size, counters=counters[name]
            )
            for name in LANES
        }

    @asynccontextmanager
    async def admit(self, length: TextLength, *, arrived_at: float) -> AsyncIterator[Permit]:
        """A permit for a text that arrived at `arrived_at` (the loop's clock), in its turn.

        The deadline holds for the wait and for the body of the context alike. Raises QueueFull or
        DeadlineExceeded.
        """
        lane, timeout_s = self._lanes[length.lane], length.timeout_s
        with _Outcome(lane.counters):
            try:
                async with asyncio.timeout_at(arrived_at + timeout_s) as deadline:
                    permit = await lane.enter()
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
    """Counts how a request ended, by the exception that it left with."""

    def __init__(self, counters: LaneCounters) -> None:
        self._counters = counters

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._counters.add(_counter_of(kind))


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
