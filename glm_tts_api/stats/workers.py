"""Facts about each worker, an engine with its share of the service: its counts, and the values that others
read of them. Knows no HTTP and no event loop."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from glm_tts_api.stats.figures import Figures, LaneName
from glm_tts_api.stats.lane_counts import LaneCounts, lane_counters

Phase = Literal["loading", "ready", "failed", "stalled"]


class WorkerRecord:
    """A worker's counters, of its lanes and of /metrics."""

    def __init__(self) -> None:
        self.lanes = lane_counters()
        self.figures = Figures()


class WorkerStats(Struct, frozen=True, eq=False):
    """One worker as read. `pid`: of the engine's process, None between two; `restarts`: how often it died and
    another took its place; `watchdog_exits`: how often it was ended for standing still; `resumed`: requests
    that went on with it after their engine's death; `limits`: places of its lanes; `cells`: of its figures.
    It may come from another machine."""

    number: int
    pid: int | None
    phase: Phase
    restarts: int
    watchdog_exits: int
    resumed: int
    lanes: dict[LaneName, LaneCounts]
    limits: dict[LaneName, int]
    cells: bytes
    alive: bool = True

    @property
    def ready(self) -> bool:
        return self.alive and self.phase == "ready"

    @property
    def figures(self) -> Figures:
        return Figures(self.cells)
