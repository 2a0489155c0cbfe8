"""Counts the requests of each lane (the semaphore for short or for long texts) of an engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from glm_tts_api.stats.figures import LANES, LaneName


@dataclass(frozen=True, slots=True)
class LaneCounts:
    """The numbers of requests of one lane. `active` and `waiting` are present values; the others count since
    the service started."""

    active: int = 0
    waiting: int = 0
    total: int = 0
    completed: int = 0
    failed: int = 0
    timed_out: int = 0
    cancelled: int = 0
    rejected: int = 0

    @classmethod
    def sum(cls, counts: Iterable[LaneCounts]) -> LaneCounts:
        rows = [tuple(asdict(row).values()) for row in counts]
        return cls(*(sum(column) for column in zip(*rows, strict=True)))

    def of_the_dead(self) -> LaneCounts:
        """Returns the counts of a worker that has died: the totals stay, and `active` and `waiting` are 0."""
        return replace(self, active=0, waiting=0)


class LaneCounters:
    """The counters of one lane. Only the event loop writes them."""

    def __init__(self) -> None:
        self._counts = asdict(LaneCounts())

    def add(self, counter: str, amount: int = 1) -> None:
        self._counts[counter] += amount

    def set(self, counter: str, number: int) -> None:
        self._counts[counter] = number

    def read(self) -> LaneCounts:
        return LaneCounts(**self._counts)


def lane_counters() -> dict[LaneName, LaneCounters]:
    return {lane: LaneCounters() for lane in LANES}
