"""The metrics of each worker, which is an engine with its share of the service: the counters that it writes,
and the values that others read. Knows no HTTP and no event loop."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from glm_tts_api.stats.figures import Figures, LaneName
from glm_tts_api.stats.lane_counts import LaneCounts, lane_counters

Phase = Literal["loading", "ready", "failed", "stalled"]


class WorkerRecord:
    """The counters of one worker: `lanes` has the counters of each lane, and `figures` has the values for
    /metrics."""

    def __init__(self) -> None:
        self.lanes = lane_counters()
        self.figures = Figures()


class WorkerStats(Struct, frozen=True, eq=False):
    """The values of one worker at one moment; the worker may run on another machine. `pid` is the engine's
    process; None while there is none. `restarts` counts how often the engine died and another one took its
    place, and `watchdog_exits` how often the engine was ended because it hung. `resumed` counts the requests
    that this engine continued after their own engine died. `limits` has the number of places of each lane.
    `cells` are the bytes of the worker's Figures."""

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
