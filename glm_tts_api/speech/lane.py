"""One lane of admission (a semaphore for short or long texts): its places, its queue, and the permits that
hold its places. Uses asyncio; knows no HTTP, no text, no model."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from glm_tts_api.errors import QueueFull
from glm_tts_api.speech.clients import Client
from glm_tts_api.speech.line import Line
from glm_tts_api.stats.figures import LaneName
from glm_tts_api.stats.lane_counts import LaneCounters

_FIRST_GUESS_S = 5.0  # how long a place is held, until the first request has ended
_N_AVERAGED = 5  # the moving average of that time goes over about so many requests
_MARGIN = 1.5  # the time between two refused clients, relative to the time in which a place gets free
_LATEST_S = 60.0  # OpenAI's clients ignore a longer Retry-After


class Places(Protocol):
    """A pool of places that gives permits and takes them back: a Lane, or SparePlaces."""

    def move(self, engine: int, to: int) -> None: ...
    def end(self, permit: Permit) -> None: ...


class Permit:
    """The right to one place of a lane on an `engine`. `deadline` cancels the request's work `timeout_s`
    seconds after the request arrived. Work that `gives_way` stands back for all requests and may be
    interrupted."""

    def __init__(self, lane: Places, engine: int, client: Client) -> None:
        self.gives_way = False
        self.engine = engine
        self.client = client
        self.since = time.monotonic()
        self.deadline: asyncio.Timeout | None = None
        self.timeout_s = math.inf
        self._lane = lane
        self._holders = 0

    def move_to(self, engine: int) -> None:
        """Moves the permit's place to another engine. That engine may then have more requests than places."""
        self._lane.move(self.engine, engine)
        self.engine = engine

    @property
    def timeout_ratio(self) -> float:
        """The used share of the time-out: 0 at arrival, 1 at the deadline; 0 without a running deadline."""
        when = self.deadline.when() if self.deadline else None
        return 0.0 if when is None else 1 - (when - asyncio.get_running_loop().time()) / self.timeout_s

    @contextmanager
    def waiting_for_client(self) -> Iterator[None]:
        """Pauses the deadline inside the `with` block, in which the request waits for its client to take
        audio, since the deadline is for the work alone."""
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
        """Adds a holder of the permit and returns the holder's release callback. The place is free once every
        holder has called its callback. Further calls of the same callback do nothing."""
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
    """One lane: its places on each engine, its queue (`line`) and its counters for each engine.

    `queue_size` is the most requests that may wait. `best` returns the number of the engine that gives the
    next place; None if no place is free. `held` counts the places of all lanes that each client holds, by the
    client's name. `look_again` gives free places of all lanes to waiting requests. `changed` is called
    whenever a place is taken or becomes free.
    """

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
        self._held_s, self._n_ended = _FIRST_GUESS_S, 0
        self._last_back_at = 0.0  # when the client that was refused last should try again

    async def enter(self, client: Client) -> Permit:
        """Waits in the queue for a place and returns the permit for it. Raises QueueFull if the queue is
        full: at once if `client` would have as many requests there as any other client, or later if others
        come and `client` has the most."""
        engine = self._free_engine(client)
        if engine is None:
            self._make_room(client)
            engine = await self._wait(client)
        self.counters[engine].add("total")
        return Permit(self, engine, client)

    def end(self, permit: Permit) -> None:
        """Frees the permit's place."""
        held_s = time.monotonic() - permit.since
        self._n_ended += 1
        self._held_s += (held_s - self._held_s) / min(self._n_ended, _N_AVERAGED)
        self._free(permit.engine, permit.client)

    def _free_engine(self, client: Client) -> int | None:
        """Takes a free place for `client` without a wait and returns the number of its engine. Returns None
        if no place is free, if the client already holds as many places as it may, or if a waiting request may
        have the place."""
        engine = self._best(self) if self._may(client) and self.line.next(self._may) is None else None
        if engine is not None:
            self._give(engine, client)
        return engine

    def _make_room(self, client: Client) -> None:
        """Makes room in a full queue for a request of `client`: refuses, with QueueFull, the newest request
        of the client that has the most requests there. Raises QueueFull instead if `client` would then have
        as many there as any other client. Does nothing if the queue is not full."""
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
        try:
            return await turn.place
        except asyncio.CancelledError:
            if not turn.place.cancelled() and turn.place.exception() is None:  # it has just got a place
                self._free(turn.place.result(), client)
            self.line.leave(turn)
            self._count_waiting()
            raise

    def _full(self, client: Client) -> QueueFull:
        own = self.line.n_of(client)
        now, apart_s = time.monotonic(), _MARGIN * self._held_s / max(1, sum(self.taken))
        # Each refused client gets a later time than the client before it.
        self._last_back_at = max(self._last_back_at, now + len(self.line) * apart_s) + apart_s
        self._last_back_at = min(self._last_back_at, now + _LATEST_S)
        return QueueFull(
            f"The server is busy: {len(self.line)} requests wait in the {self.name} lane, "
            f"{own} of them from this client (QUEUE_MAX_SIZE={self._queue_size}). Try again soon.",
            self._last_back_at - now,
        )

    def call_next(self) -> None:
        """Gives free places to waiting requests, in the order of the queue, until no place is free."""
        while (turn := self.line.next(self._may)) is not None and (engine := self._best(self)) is not None:
            self.line.leave(turn)
            if not turn.place.cancelled():
                self._give(engine, turn.client)
                turn.place.set_result(engine)
        self._count_waiting()

    def _may(self, client: Client) -> bool:
        return client.places is None or self._held[client.name] < client.places

    def _count_waiting(self) -> None:
        """Sets engine 0's counter of waiting requests to the queue's length, for all engines."""
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
