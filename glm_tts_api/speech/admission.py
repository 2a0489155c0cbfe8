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
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from glm_tts_api.engine.fair_shares import FairShares
from glm_tts_api.errors import ClientGone, DeadlineExceeded, QueueFull
from glm_tts_api.speech.clients import ANYONE, Client
from glm_tts_api.stats.lanes import LANES, AdmissionConfig, LaneName, TextLength
from glm_tts_api.stats.workers import LaneCount, LaneCounts, no_counts

_FIRST_GUESS_S = 5.0  # how long a place is held, until the first request has ended
_N_AVERAGED = 5  # the moving average of that time goes over about so many requests
_MARGIN = 1.5  # the time between two refused clients, relative to the time in which a place gets free
_LATEST_S = 60.0  # OpenAI's clients ignore a longer Retry-After


class Places(Protocol):
    """A pool of places that gives permits and takes them back: a Lane, or BackgroundSlots. `move` moves a
    permit's place to another engine, which may then have more requests than places."""

    def move(self, permit: Permit, to: int) -> None: ...
    def end(self, permit: Permit) -> None: ...


@dataclass(eq=False)
class Permit:
    """The right to one place of `places` on an `engine`, or the wait of a request of `client` for it: `given`
    is done once it has its place. `deadline` cancels the request's work `timeout_s` seconds after the request
    arrived. Work that `is_background` waits for all requests and may be interrupted."""

    places: Places
    client: Client
    deadline: asyncio.Timeout
    timeout_s: float = math.inf
    engine: int = 0
    is_background: bool = False
    since: float = field(default_factory=time.monotonic)
    given: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    n_holders: int = 1  # the request itself; and its stream, while an engine has anything of it

    @property
    def timeout_ratio(self) -> float:
        """The used share of the time-out: 0 at arrival, 1 at the deadline; 0 while the deadline is paused."""
        when = self.deadline.when()
        return 0.0 if when is None else 1 - (when - asyncio.get_running_loop().time()) / self.timeout_s

    @contextmanager
    def waiting_for_client(self) -> Iterator[None]:
        """Pauses the deadline inside the `with` block, in which the request waits for its client to take
        audio, since the deadline is for the work alone."""
        if self.deadline.expired() or (when := self.deadline.when()) is None:
            yield
            return
        loop = asyncio.get_running_loop()
        since = loop.time()
        self.deadline.reschedule(None)
        try:
            yield
        finally:
            self.deadline.reschedule(when + loop.time() - since)

    def release(self) -> None:
        """To be called once by each holder. The place is free once all of them have."""
        self.n_holders -= 1
        if self.n_holders == 0:
            self.places.end(self)


class Lane:
    """One lane of `admission`: its counts for each engine, and its queue. Each client in turn gets the next
    place, for its oldest request. The order is that of FairShares, with a request as one unit of work. So a
    new client is next at once, however many requests of another client wait, and overtakes nobody twice."""

    def __init__(self, name: LaneName, admission: Admission, n_engines: int) -> None:
        self.name = name
        self.counts = [no_counts() for _ in range(n_engines)]
        self.waiting: list[Permit] = []  # in the order in which the requests came
        self._admission = admission
        self._shares = FairShares()
        self._held_s, self._n_ended = _FIRST_GUESS_S, 0
        self._last_back_at = 0.0  # when the client that was refused last should try again

    def order(self) -> list[str]:
        """Returns the name of the client of each waiting request. The list has the order in which the
        requests get places if no more requests come and no client's limit on places holds one back."""
        n_before = Counter[str]()
        dues = []
        for name in (permit.client.name for permit in self.waiting):
            dues.append((self._shares.turn(name) + n_before[name], name))
            n_before[name] += 1
        return [name for _, name in sorted(dues, key=lambda due: due[0])]

    async def enter(self, permit: Permit) -> None:
        """Waits in the queue until `permit` has a place. Raises QueueFull if the queue is full: at once if
        its client would have as many requests there as any other client, or later if others come and the
        client has the most."""
        self.waiting.append(permit)
        self.call_next()
        if len(self.waiting) > self._admission.config.queue_size:
            self._refuse_one(permit)
        try:
            await permit.given
        except asyncio.CancelledError:
            if permit in self.waiting:
                self.waiting.remove(permit)
            elif not permit.given.cancelled() and permit.given.exception() is None:  # it has just got a place
                self._leave(permit)
            raise
        self.counts[permit.engine]["total"] += 1

    def call_next(self) -> None:
        """Gives free places to waiting requests, in the order of the queue, until no place is free."""
        while (permit := self._next()) is not None and (engine := self._admission.best(self)) is not None:
            self.waiting.remove(permit)
            if not permit.given.cancelled():
                self._shares.serve(permit.client.name)
                self.counts[engine]["active"] += 1
                self._admission.count(permit.client, 1)
                permit.engine, permit.since = engine, time.monotonic()
                permit.given.set_result(None)

    def end(self, permit: Permit) -> None:
        """Frees the permit's place."""
        held_s = time.monotonic() - permit.since
        self._n_ended += 1
        self._held_s += (held_s - self._held_s) / min(self._n_ended, _N_AVERAGED)
        self._leave(permit)

    def move(self, permit: Permit, to: int) -> None:
        self.counts[permit.engine]["active"] -= 1
        self.counts[to]["active"] += 1
        permit.engine = to
        self._admission.count(permit.client, 0)

    def _leave(self, permit: Permit) -> None:
        self.counts[permit.engine]["active"] -= 1
        self._admission.count(permit.client, -1)

    def _next(self) -> Permit | None:
        """Returns the request that gets the next place, and leaves it in the queue; None if no client waits
        that may hold one more place."""
        may = (permit for permit in self.waiting if self._admission.may_hold(permit.client))
        return min(may, key=lambda permit: self._shares.turn(permit.client.name), default=None)

    def _refuse_one(self, newcomer: Permit) -> None:
        """Refuses, with QueueFull, the newest request of the client that has the most requests in the queue.
        If `newcomer` is of a client that has as many, `newcomer` is refused."""
        n_of = Counter(permit.client.name for permit in self.waiting)
        refused = max(reversed(self.waiting), key=lambda permit: n_of[permit.client.name])
        self.waiting.remove(refused)
        n_waiting, n_own = len(self.waiting), n_of[refused.client.name] - (refused is newcomer)
        now = time.monotonic()
        apart_s = _MARGIN * self._held_s / max(1, sum(counts["active"] for counts in self.counts))
        # Each refused client gets a later time than the client before it.
        self._last_back_at = max(self._last_back_at, now + n_waiting * apart_s) + apart_s
        self._last_back_at = min(self._last_back_at, now + _LATEST_S)
        message = (
            f"The server is busy: {n_waiting} requests wait in the {self.name} lane, {n_own} of them from "
            f"this client (QUEUE_MAX_SIZE={self._admission.config.queue_size}). Try again soon."
        )
        if not refused.given.done():
            refused.given.set_exception(QueueFull(message, retry_after_s=self._last_back_at - now))


@dataclass(eq=False)
class Admission:
    """Admits requests to the short and the long lane of `n_engines` engines. This is the only place where
    requests wait.

    `rank` takes an engine's number and returns how suitable that engine is for a new request; 0 means that
    the engine takes no requests. `n_rows` takes an engine's number and returns how many requests that engine
    speaks at once (see AdmissionConfig.on_rows). The attribute `changed` is a callback. It is called
    whenever a place is taken or becomes free, and at the end of `look_again`.
    """

    config: AdmissionConfig
    n_engines: int = 1
    rank: Callable[[int], int] = lambda engine: 1
    n_rows: Callable[[int], int] = lambda engine: 0
    changed: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self._held = Counter[str]()  # the places of both lanes that each client holds
        self.lanes = {name: Lane(name, self, self.n_engines) for name in LANES}

    def limit_on(self, engine: int, lane: LaneName) -> int:
        """Returns how many places `lane` has on the engine with this number."""
        return self.config.on_rows(self.n_rows(engine)).limits[lane]

    def look_again(self) -> None:
        """Gives the free places of both lanes to the requests that wait, and calls `changed`. To be
        called when an engine begins to take requests."""
        for lane in self.lanes.values():
            lane.call_next()
        self.changed()

    @property
    def holds_requests(self) -> bool:
        """Whether any request holds a place."""
        return any(counts["active"] for lane in self.lanes.values() for counts in lane.counts)

    def spare_on(self, engine: int) -> int:
        """Returns how many places of the engine no request holds, in both lanes together. The number is
        negative if requests of a dead engine were moved to this engine and now hold more places than it
        has."""
        return sum(self.limit_on(engine, name) for name in LANES) - self._n_on(engine)

    def counts_on(self, engine: int) -> dict[LaneName, LaneCounts]:
        """Returns the counts of each lane on an engine. Requests that wait count on engine 0."""
        return {
            name: {**lane.counts[engine], "waiting": 0 if engine else len(lane.waiting)}
            for name, lane in self.lanes.items()
        }

    def best(self, lane: Lane) -> int | None:
        """Returns the number of the engine that gives the next place of `lane`. Only engines that take
        requests (rank above 0) and have a free place in `lane` count. The engine has the highest rank of
        these, and of several such engines it has the fewest requests in both lanes. Returns None if no engine
        that takes requests has a free place in `lane`."""
        free = [
            (rank, -self._n_on(engine), -engine)
            for engine, counts in enumerate(lane.counts)
            if counts["active"] < self.limit_on(engine, lane.name) and (rank := self.rank(engine))
        ]
        return -max(free)[2] if free else None

    def may_hold(self, client: Client) -> bool:
        return client.places is None or self._held[client.name] < client.places

    def count(self, client: Client, by: int) -> None:
        """Notes that `client` has got a place (`by` 1) or has left one (-1), or that its place moved (0)."""
        self._held[client.name] += by
        if not self._held[client.name]:
            del self._held[client.name]
        if by > 0:
            self.changed()
        else:
            self.look_again()

    def _n_on(self, engine: int) -> int:
        return sum(lane.counts[engine]["active"] for lane in self.lanes.values())

    @asynccontextmanager
    async def admit(
        self, length: TextLength, *, arrived_at: float, client: Client = ANYONE
    ) -> AsyncIterator[Permit]:
        """Waits until the request gets a place in its lane and yields the permit for that place. `length`
        says which lane and which time-out the request has. `arrived_at` is its time of arrival on the event
        loop's clock. `client` has sent the request; waiting clients get places in turn.

        At the deadline, the wait or the body of the `async with` block is cancelled, and DeadlineExceeded is
        raised. Raises QueueFull if the queue has no room for the request. The place is given back after the
        block, once all other holders of the permit have released it. How the request ended is counted on the
        permit's engine, or on engine 0 if it got no permit.
        """
        lane, engine = self.lanes[length.lane], 0
        outcome: LaneCount = "completed"
        try:
            async with asyncio.timeout_at(arrived_at + length.timeout_s) as deadline:
                permit = Permit(lane, client, deadline, length.timeout_s)
                await lane.enter(permit)
                try:
                    yield permit
                finally:
                    engine = permit.engine
                    permit.release()
        except BaseException as error:
            is_late = isinstance(error, TimeoutError) and deadline.expired()
            outcome = "timed_out" if is_late else _outcome_of(error)
            if not is_late:
                raise
            raise DeadlineExceeded(
                f"The request was not done within {length.timeout_s:g} s ({length.setting}); "
                "its work is stopped."
            ) from None
        finally:
            lane.counts[engine][outcome] += 1


def _outcome_of(error: BaseException) -> LaneCount:
    if isinstance(error, QueueFull):
        return "rejected"
    if isinstance(error, DeadlineExceeded):
        return "timed_out"
    return "cancelled" if isinstance(error, (ClientGone, asyncio.CancelledError, GeneratorExit)) else "failed"
