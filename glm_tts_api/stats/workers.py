"""The metrics of each worker, which is an engine with its share of the service, as others read them. Knows no
HTTP and no event loop."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Literal, get_args

from msgspec import Struct

from glm_tts_api.stats.lanes import LaneName

Phase = Literal["loading", "ready", "failed", "stalled"]
LaneCount = Literal["active", "waiting", "total", "completed", "failed", "timed_out", "cancelled", "rejected"]
LaneCounts = dict[LaneCount, int]  # active and waiting are present values, the others count since the start


def no_counts() -> LaneCounts:
    return dict.fromkeys(get_args(LaneCount), 0)


class WorkerStats(Struct, frozen=True, eq=False):
    """The values of one worker at one moment; the worker may run on another machine. `pid` is the engine's
    process; None while there is none. `restarts` counts how often the engine died and another one took its
    place, and `watchdog_exits` how often the engine was ended because it hung. `resumed` counts the requests
    that this engine continued after their own engine died. `limits` has the number of places of each lane.
    `cells` are the bytes of the worker's Metrics."""

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


@dataclass(frozen=True, slots=True)
class KeyCounts:
    """The requests of each named API key. `requests` has their number by key and outcome, `audio_s` the
    seconds of speech made for each key. The operator names the keys, so the number of counts is bounded."""

    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    audio_s: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, key: str, outcome: str, audio_s: float) -> None:
        self.requests[key, outcome] += 1
        self.audio_s[key] += audio_s
