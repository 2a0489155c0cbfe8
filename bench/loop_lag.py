"""Reads from the server's /metrics how late its event loop ran tasks that were due."""

from __future__ import annotations

import math
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

_SERIES = "glm_tts_event_loop_lag_seconds_bucket"
PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class LoopLag:
    """A histogram of the event loop's lag.

    `counts` maps a number of seconds to the count of lags up to it.
    """

    counts: dict[float, float]

    @classmethod
    def read(cls, url: str) -> LoopLag:
        text = httpx.get(f"{url}/metrics", trust_env=False, timeout=60).text
        counts: dict[float, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == _SERIES:
                    bound = float(sample.labels["le"])
                    counts[bound] = counts.get(bound, 0) + sample.value
        return cls(counts)

    def since(self, before: LoopLag) -> LoopLag:
        return LoopLag({bound: count - before.counts.get(bound, 0) for bound, count in self.counts.items()})

    @property
    def n_pauses(self) -> int:
        """How often the event loop was late by more than PAUSE_S seconds."""
        return round(self.counts[math.inf] - self.counts[PAUSE_S])

    @property
    def longest_below_s(self) -> float:
        """An upper limit of all lags in seconds: the smallest bound of the histogram that no lag exceeded."""
        return min(bound for bound, count in self.counts.items() if count == self.counts[math.inf])

    def __str__(self) -> str:
        return (
            f"the server's event loop was late by more than {1000 * PAUSE_S:.0f} ms "
            f"{self.n_pauses} times of {self.counts[math.inf]:.0f}, never by more than "
            f"{1000 * self.longest_below_s:.0f} ms"
        )
