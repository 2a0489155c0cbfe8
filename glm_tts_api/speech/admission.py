"""Decides which requests are spoken now, which wait, and which are refused. Uses asyncio; knows no HTTP, no
text, no model.

A request goes into the short or the long lane, by the length of its text. A lane is a semaphore: it has a
number of places on each engine and one bounded queue. The waiting clients get free places in turn. Of several
equally suitable engines with a free place, the one with the fewest requests gives it. A request's deadline
counts from its arrival and covers both the wait and the work. A request gives its place back when the
client's side and the engine are both done with it, so work that is being cancelled still holds its place.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from glm_tts_api.errors import ClientGone, DeadlineExceeded, QueueFull
from glm_tts_api.speech.clients import ANYONE, Client
from glm_tts_api.speech.lane import Lane, Permit
from glm_tts_api.speech.lane_limits import AdmissionConfig, TextLength
from glm_tts_api.stats.figures import LANES, LaneName
from glm_tts_api.stats.lane_counts import LaneCounters


def _always(engine: int) -> int:
    return 1


def _as_set(engine: int) -> int:
    return 0


class Admission:
    """Admits requests to the short and the long lane. This is the only place where requests wait.

    `counters` has the counters of each engine's lanes, by the engine's number. `rank` takes an engine's
    number and returns how suitable that engine is for a new request; 0 means that the engine takes no
    requests. `n_slots` takes an engine's number and returns how many requests that engine speaks at once (see
    AdmissionConfig.on_slots). The attribute `changed` is a callback. It is called whenever a place is taken
    or becomes free, and at the end of `look_again`.
    """

    def __init__(
        self,
        config: AdmissionConfig,
        counters: Sequence[dict[LaneName, LaneCounters]],
        rank: Callable[[int], int] = _always,
        n_slots: Callable[[int], int] = _as_set,
    ) -> None:
        self.config = config
        self._rank = rank
        self._n_slots = n_slots
        held = Counter[str]()
        self.changed: Callable[[], None] = lambda: None
        self._lanes = {
            name: Lane(
                name,
                queue_size=config.queue_size,
                counters=[each[name] for each in counters],
                best=self._best,
                held=held,
                look_again=self.look_again,
                changed=lambda: self.changed(),
            )
            for name in LANES
        }

    def limit_on(self, engine: int, lane: LaneName) -> int:
        """Returns how many places `lane` has on the engine with this number."""
        return self.config.on_slots(self._n_slots(engine)).limit_of(lane)

    def look_again(self) -> None:
        """Gives the free places of both lanes to the requests that wait, and calls `changed`. To be called
        when an engine begins to take requests."""
        for lane in self._lanes.values():
            lane.call_next()
        self.changed()

    def takes_requests(self, engine: int) -> bool:
        return self._rank(engine) > 0

    @property
    def holds_requests(self) -> bool:
        """Whether any request holds a place."""
        return any(any(lane.taken) for lane in self._lanes.values())

    def spare_on(self, engine: int) -> int:
        """Returns how many places of the engine no request holds, in both lanes together. The number is
        negative if requests of a dead engine were moved to this engine and now hold more places than it
        has."""
        return sum(self.limit_on(engine, name) - lane.taken[engine] for name, lane in self._lanes.items())

    def order(self, lane: LaneName) -> list[str]:
        """Returns the name of the client of each request that waits in `lane`. The list has the order in
        which these requests get places."""
        return self._lanes[lane].line.order()

    def _best(self, lane: Lane) -> int | None:
        """Returns the number of the engine that gives the next place of `lane`. Only engines that take
        requests (rank above 0) and have a free place in `lane` count. The engine has the highest rank of
        these, and of several such engines it has the fewest requests in both lanes. Returns None if no engine
        that takes requests has a free place in `lane`."""
        loads = map(sum, zip(*(each.taken for each in self._lanes.values()), strict=True))
        free = [
            (rank, -load, -engine)
            for engine, load in enumerate(loads)
            if lane.taken[engine] < self.limit_on(engine, lane.name) and (rank := self._rank(engine))
        ]
        return -max(free)[2] if free else None

    @asynccontextmanager
    async def admit(
        self, length: TextLength, *, arrived_at: float, client: Client = ANYONE
    ) -> AsyncIterator[Permit]:
        """Waits until the request gets a place in its lane and yields the permit for that place. `length`
        says which lane and which time-out the request has. `arrived_at` is its time of arrival on the event
        loop's clock. `client` has sent the request; waiting clients get places in turn.

        At the deadline, the wait or the body of the `async with` block is cancelled, and DeadlineExceeded is
        raised. Raises QueueFull if the queue has no room for the request. The place is given back after the
        block, once all other holders of the permit have released it.
        """
        lane, timeout_s = self._lanes[length.lane], length.timeout_s
        with _Outcome(lane) as outcome:
            try:
                async with asyncio.timeout_at(arrived_at + timeout_s) as deadline:
                    outcome.permit = permit = await lane.enter(client)
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
    """Counts how a request ended (completed, rejected, timed_out, cancelled or failed), by the exception that
    leaves the `with` block. The count goes to the engine of the request's permit, or to engine 0 if the
    request got no permit."""

    def __init__(self, lane: Lane) -> None:
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
