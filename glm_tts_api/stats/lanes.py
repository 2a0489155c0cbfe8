"""The lanes of requests: their names, and which texts, places and time-outs each has. Knows numbers alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

LaneName = Literal["short_text", "long_text"]
LANES: tuple[LaneName, ...] = get_args(LaneName)
_SHORT_CHARS = 50  # texts up to this length have SHORT_TEXT_TIMEOUT, other short ones MEDIUM_TEXT_TIMEOUT


@dataclass(frozen=True, slots=True)
class TextLength:
    """The length of a text in characters, its lane, its time-out in seconds, and the time-out's setting."""

    n_chars: int
    lane: LaneName
    timeout_s: float
    setting: str


@dataclass(frozen=True, slots=True)
class AdmissionConfig:
    """The limits of admission. `limits` are the places of each lane on one engine. A text of more than
    `threshold` characters is long. The time-outs are in seconds from a request's arrival. `queue_size` is the
    most requests that wait in each lane, for all engines together."""

    limits: Mapping[LaneName, int] = field(default_factory=lambda: {"short_text": 15, "long_text": 5})
    threshold: int = 200
    timeouts_s: Mapping[str, float] = field(
        default_factory=lambda: {"short_text": 60, "medium_text": 300, "long_text": 600}
    )
    queue_size: int = 100

    def most_requests(self, n_engines: int) -> int:
        """Returns the most requests that `n_engines` engines can speak at once, plus those that can wait."""
        return n_engines * sum(self.limits.values()) + len(LANES) * self.queue_size

    def on_rows(self, n_rows: int) -> AdmissionConfig:
        """Returns the limits for an engine that speaks `n_rows` requests at once. If that is fewer than the
        places of all lanes, the lanes share the rows in proportion to their places, and each has at least
        one. If `n_rows` is 0 (not known yet), the limits stay as they are."""
        n_places = sum(self.limits.values())
        if not 0 < n_rows < n_places:
            return self
        limits = {lane: max(1, n_rows * limit // n_places) for lane, limit in self.limits.items()}
        limits[LANES[0]] = max(1, n_rows - sum(limits[lane] for lane in LANES[1:]))
        return replace(self, limits=limits)

    def measure(self, n_chars: int) -> TextLength:
        lane: LaneName = "long_text" if n_chars > self.threshold else "short_text"
        texts = "medium_text" if lane == "short_text" and n_chars > _SHORT_CHARS else lane
        return TextLength(n_chars, lane, self.timeouts_s[texts], f"{texts.upper()}_TIMEOUT")
