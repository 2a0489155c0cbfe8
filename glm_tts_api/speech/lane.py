"""One lane of admission: its places, the line for them, and the permits that hold them. Knows asyncio; knows
no HTTP, no text, no model."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from glm_tts_api.errors import QueueFull
from glm_tts_api.speech.clients import Client
from glm_tts_api.speech.comeback import Comebacks
from glm_tts_api.speech.line import Line
from glm_tts_api.stats.figures import LaneName
from glm_tts_api.stats.lane_counts import LaneCounters

_PATIENCE_S = 20.0  # longer than a piece of a stream lasts: who plays it as it comes keeps the place
_LOOK_EVERY_S = 1.0


class Places(Protocol):
    """Where permits come from, and go back to."""

    name: LaneName

    def move(self, engine: int, to: int) -> None: ...
    def end(self, permit: Permit) -> None: ...


class Permit:
    """The right to one place of a lane on an `engine`. `deadline` ends the work that it is for, `timeout_s`
    after that arrived. `still_since`: from when on (the loop's clock) its client takes nothing; `rest` stops
    the work of one that stands still, so that the place goes to others; `again` waits for another place."""

    def __init__(
        self,
        lane: Places,
        engine: int,
        client: Client,
        again: Callable[[Permit], Awaitable[int]] | None = None,
    ) -> None:
        self.still_since: float | None = None
        self.rest: Callable[[], None] | None = None
        self._again = again
        self._given_back = asyncio.Event()
        self.lane = lane.name
        self.engine = engine
        self.client = client
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
        """The used share of the time-out, 1 for all of it."""
        when = self.deadline.when() if self.deadline else None
        return 0.0 if when is None else 1 - (when - asyncio.get_running_loop().time()) / self.timeout_s

    def give_back(self) -> None:
        """The place is free, though the request goes on: it has yet to be heard."""
        self._lane.end(self)
        self._given_back.set()

    async def regain(self) -> int:
        """Waits for a place again, on the engine that this returns."""
        assert self._again is not None
        await self._given_back.wait()
        self.engine = await self._again(self)
        self._given_back.clear()
        return self.engine

    @contextmanager
    def waiting_for_client(self) -> Iterator[None]:
        """The deadline is for the work: the time inside is put on it."""
        self.still_since = asyncio.get_running_loop().time()
        try:
            with self._deadline_paused():
                yield
        finally:
            self.still_since = None

    @contextmanager
    def _deadline_paused(self) -> Iterator[None]:
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
        """Adds a holder. The place is free once every holder has called its callback."""
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


class Lane:
    """One lane: its places on each engine, its line, its counters. `best`: the engine to give a place on;
    `held`: how many places of all lanes each client has; `look_again`: gives out places of all lanes;
    `changed` is called when a place was taken or is free."""

    def __init__(
        self,
        name: LaneName,
        *,
        queue_size: int,
        counters: Sequence[LaneCounters],
        best: Callable[[Lane], int | None],
        held: Counter[str],
        look_again: Callable[[], None],
        changed: Callable[[], None],
    ) -> None:
        self.name = name
        self.counters = counters
        self.taken = [0] * len(counters)
        self.line = Line()
        self._best = best
        self._queue_size = queue_size
        self._held = held
        self._look_again = look_again
        self._changed = changed
        self._comebacks = Comebacks()
        self._held_since: dict[Permit, float] = {}
        self._resting: set[Permit] = set()
        self._look: asyncio.TimerHandle | None = None

    async def enter(self, client: Client) -> Permit:
        """Waits in the line for a place. Raises QueueFull: at once where the line is full, later where the
        client has most of it and others come."""
        engine = self._free_engine(client)
        if engine is None:
            self._make_room(client)
            engine = await self._wait(client)
        self.counters[engine].add("total")
        permit = Permit(self, engine, client, self._enter_again)
        self._held_since[permit] = time.monotonic()
        return permit

    async def _enter_again(self, permit: Permit) -> int:
        """Waits for a place, in a full line too."""
        engine = self._free_engine(permit.client)
        if engine is None:
            engine = await self._wait(permit.client)
        self._resting.discard(permit)
        self._held_since[permit] = time.monotonic()
        return engine

    def end(self, permit: Permit) -> None:
        """Frees the permit's place; does nothing if the place was given back already."""
        self._resting.discard(permit)
        if (since := self._held_since.pop(permit, None)) is not None:
            self._comebacks.measure(time.monotonic() - since)
            self._free(permit.engine, permit.client)

    def _free_engine(self, client: Client) -> int | None:
        """Takes a place on it."""
        engine = self._best(self) if self._may(client) and self.line.next(self._may) is None else None
        if engine is not None:
            self._give(engine, client)
        return engine

    def _make_room(self, client: Client) -> None:
        """Raises QueueFull where there is none in the line."""
        if len(self.line) < self._queue_size:
            return
        crowding = self.line.crowding(client)
        if crowding is None:
            raise self._full(client)
        if not crowding.place.done():
            crowding.place.set_exception(self._full(crowding.client))
        self.line.leave(crowding)

    async def _wait(self, client: Client) -> int:
        turn = self.line.join(client)
        self._count_waiting()
        self._take_back()
        try:
            return await turn.place
        except asyncio.CancelledError:
            if not turn.place.cancelled() and turn.place.exception() is None:  # it came in the same moment
                self._free(turn.place.result(), client)
            self.line.leave(turn)
            self._count_waiting()
            raise

    def _full(self, client: Client) -> QueueFull:
        own = self.line.n_of(client)
        return QueueFull(
            f"The server is busy: {len(self.line)} requests wait in the {self.name} lane, "
            f"{own} of them from this client (QUEUE_MAX_SIZE={self._queue_size}). Try again soon.",
            self._comebacks.next(time.monotonic(), self._held_since.values()),
        )

    def call_next(self) -> None:
        """Gives out the places that are free, in the order of the line."""
        while (turn := self.line.next(self._may)) is not None and (engine := self._best(self)) is not None:
            self.line.leave(turn)
            if not turn.place.cancelled():
                self._give(engine, turn.client)
                turn.place.set_result(engine)
        self._count_waiting()

    def _take_back(self) -> None:
        """Gives the places of clients that take none of their audio to requests that wait. Their unsent audio
        is kept, of as many as may wait. Looks again each second while a request waits."""
        if self._look is not None:
            self._look.cancel()
        loop = asyncio.get_running_loop()
        self._look = loop.call_later(_LOOK_EVERY_S, self._take_back) if len(self.line) else None
        n_wanted = len(self.line) - sum(permit in self._held_since for permit in self._resting)
        n_wanted = min(n_wanted, self._queue_size - len(self._resting))
        still = [permit for permit in self._held_since if self._stands_still(permit, loop.time())]
        for permit in sorted(still, key=lambda permit: permit.still_since or 0.0)[: max(0, n_wanted)]:
            assert permit.rest is not None
            self._resting.add(permit)
            permit.rest()

    def _stands_still(self, permit: Permit, now: float) -> bool:
        if permit.still_since is None or permit.rest is None or permit in self._resting:
            return False
        return now - permit.still_since >= _PATIENCE_S

    def _may(self, client: Client) -> bool:
        return client.places is None or self._held[client.name] < client.places

    def _count_waiting(self) -> None:
        """One line serves all engines: its requests count with the first."""
        self.counters[0].set("waiting", len(self.line))

    def _give(self, engine: int, client: Client) -> None:
        self.line.serve(client)
        self._held[client.name] += 1
        self._take(engine)

    def _free(self, engine: int, client: Client) -> None:
        self._held[client.name] -= 1
        if not self._held[client.name]:
            del self._held[client.name]
        self._leave(engine)

    def _take(self, engine: int) -> None:
        self.taken[engine] += 1
        self.counters[engine].add("active")
        self._changed()

    def _leave(self, engine: int) -> None:
        self.taken[engine] -= 1
        self.counters[engine].add("active", -1)
        self._look_again()
        self._changed()

    def move(self, engine: int, to: int) -> None:
        self._take(to)
        self._leave(engine)
