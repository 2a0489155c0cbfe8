"""What each lane of a worker counts, in cells of memory that others may read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

from glm_tts_api.stats.figures import LANES, LaneName

CELL_BYTES = 8


@dataclass(frozen=True, slots=True)
class LaneCounts:
    """What one lane did: `active` and `waiting` now, the rest since the service started."""

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
        """The same totals with nothing going on."""
        return LaneCounts(0, 0, *tuple(asdict(self).values())[2:])


COUNTERS = tuple(field.name for field in fields(LaneCounts))


class LaneCounters:
    """One lane's counters in this worker's record; written from the event loop only."""

    def __init__(self, cells: memoryview) -> None:
        self._cells = cells

    def add(self, counter: str, amount: int = 1) -> None:
        self._cells[COUNTERS.index(counter)] += amount

    def read(self) -> LaneCounts:
        return LaneCounts(*self._cells)


def private_counters() -> dict[LaneName, LaneCounters]:
    """Counters of both lanes that nobody else reads."""
    return {lane: LaneCounters(memoryview(bytearray(len(COUNTERS) * CELL_BYTES)).cast("q")) for lane in LANES}
