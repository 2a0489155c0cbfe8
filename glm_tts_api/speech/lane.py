"""One lane of admission: its places, the line for them, and the permits that hold them. Knows asyncio; knows
no HTTP, no text, no model."""

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
from glm_tts_api.speech.comeback import Comebacks
from glm_tts_api.speech.line import Line
from glm_tts_api.stats.figures import LaneName
from glm_tts_api.stats.lane_counts import LaneCounters


class Places(Protocol):
    """Where permits come from, and go back to."""

    name: LaneName

    def move(self, engine: int, to: int) -> None: ...
    def end(self, permit: Permit) -> None: ...


class Permit:
    """The right to one place of a lane on an `engine`. `deadline` ends the work that it is for, `timeout_s`
    after that arrived."""

    def __init__(self, lane: Places, engine: int, client: Client) -> None:
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

    async def enter(self, client: Client) -> Permit:
        """Waits in the line for a place. Raises QueueFull: at once where the line is full, later where the
        client has most of it and others come."""
        engine = self._best(self) if self._may(client) and self.line.next(self._may) is None else None
        if engine is None:
            engine = await self._wait(client)
        else:
            self._give(engine, client)
        self.counters[engine].add("total")
        permit = Permit(self, engine, client)
        self._held_since[permit] = time.monotonic()
        return permit

    def end(self, permit: Permit) -> None:
        self._comebacks.measure(time.monotonic() - self._held_since.pop(permit))
        self._free(permit.engine, permit.client)

    async def _wait(self, client: Client) -> int:
        if len(self.line) >= self._queue_size:
            crowding = self.line.crowding(client)
            if crowding is None:
                raise self._full(client)
            crowding.place.set_exception(self._full(crowding.client))
            self.line.leave(crowding)
        turn = self.line.join(client)
        self._count_waiting()
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

    def _may(self, client: Client) -> bool:
        return client.places is None or self._held[client.name] < client.places

    def _count_waiting(self) -> None:
        """One line for all engines: it counts with the first."""
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
