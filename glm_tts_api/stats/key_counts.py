"""Counts the requests of each named API key. The operator names the keys, so the number of counts is
bounded."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class KeyCounts:
    """`requests` has the number of requests by key and outcome. `audio_s` has the seconds of speech made for
    each key."""

    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    audio_s: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, key: str, outcome: str, audio_s: float) -> None:
        self.requests[key, outcome] += 1
        self.audio_s[key] += audio_s
