"""Decides which requests speak now, which wait and which are refused. Knows asyncio; knows no HTTP, no text,
no model.

A request takes the short or the long lane by its length. Each lane has its places on each engine and one
bounded line, in which the next place goes round the clients. A place is given on the engine that has most to
spare. A deadline counts from arrival and covers the wait and the work. The permit goes back when both the
request and the engine are done with it, so work that is being cancelled still fills its place.
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
    """The one place where requests wait.

    `rank`: how good an engine is for a request now, 0 if it takes none; `n_slots`: requests that it speaks at
    once (see AdmissionConfig.on_slots). `changed` is called when a place was taken or is free.
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
        """The places of a lane on an engine."""
        return self.config.on_slots(self._n_slots(engine)).limit_of(lane)

    def look_again(self) -> None:
        """To be called when an engine takes requests that it did not take before."""
        for lane in self._lanes.values():
            lane.call_next()
        self.changed()

    def spare_on(self, engine: int) -> int:
        """The places of an engine that no request has; 0 where it takes none."""
        if not self._rank(engine):
            return 0
        return sum(self.limit_on(engine, name) - lane.taken[engine] for name, lane in self._lanes.items())

    def order(self, lane: LaneName) -> list[str]:
        """The names of the clients that wait in a lane, in the order of their turns."""
        return self._lanes[lane].line.order()

    def _best(self, lane: Lane) -> int | None:
        """The engine with the fewest requests, of the engines of the highest rank with a place; None if there
        is none."""
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
        """A permit for a text that arrived at `arrived_at` (the loop's clock), in the turn of its client.

        The deadline holds for the wait and for the body of the context alike. Raises QueueFull or
        DeadlineExceeded.
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
    """Counts how a request ended, by the exception that it left with: for its engine, or for the first where
    it had none."""

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
