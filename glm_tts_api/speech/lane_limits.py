"""The limits of each lane (the semaphore for short or for long texts): how many requests it takes, its
time-out, and the length of its texts. Uses no asyncio."""

from __future__ import annotations

from dataclasses import dataclass, replace

from glm_tts_api.stats.figures import LaneName

# Texts up to this length have SHORT_TEXT_TIMEOUT; the other texts of the short lane have MEDIUM_TEXT_TIMEOUT.
SHORT_TEXT_CHARS = 50


@dataclass(frozen=True, slots=True)
class TextLength:
    """The length of a text in characters, the lane for it, its time-out in seconds, and the name of the
    setting that this time-out comes from."""

    n_chars: int
    lane: LaneName
    timeout_s: float
    setting: str


@dataclass(frozen=True, slots=True)
class AdmissionConfig:
    """The limits of admission. `short_limit` and `long_limit` are the places of each lane on one engine. A
    text of more than `threshold` characters is long. The time-outs are in seconds from a request's arrival.
    `queue_size` is the most requests that wait in each lane, for all engines together."""

    short_limit: int = 15
    long_limit: int = 5
    threshold: int = 200
    short_timeout_s: float = 60
    medium_timeout_s: float = 300
    long_timeout_s: float = 600
    queue_size: int = 100

    def __post_init__(self) -> None:
        if self.short_limit < 1 or self.long_limit < 1 or self.queue_size < 0:
            raise ValueError("lane limits must be at least 1, the queue size at least 0")

    def most_requests(self, n_engines: int) -> int:
        """Returns the most requests that `n_engines` engines can speak at once, plus those that can wait."""
        return n_engines * (self.short_limit + self.long_limit) + 2 * self.queue_size

    def limit_of(self, lane: LaneName) -> int:
        return self.short_limit if lane == "short_text" else self.long_limit

    def on_slots(self, n_slots: int) -> AdmissionConfig:
        """Returns the limits for an engine that speaks `n_slots` requests at once. If that is fewer than the
        places of both lanes, the lanes share the slots in proportion to their places, and each has at least
        one. If `n_slots` is 0 (not known yet), the limits stay as they are."""
        n_places = self.short_limit + self.long_limit
        if not 0 < n_slots < n_places:
            return self
        n_long = max(1, n_slots * self.long_limit // n_places)
        return replace(self, short_limit=max(1, n_slots - n_long), long_limit=n_long)

    def measure(self, n_chars: int) -> TextLength:
        if n_chars > self.threshold:
            return TextLength(n_chars, "long_text", self.long_timeout_s, "LONG_TEXT_TIMEOUT")
        if n_chars > SHORT_TEXT_CHARS:
            return TextLength(n_chars, "short_text", self.medium_timeout_s, "MEDIUM_TEXT_TIMEOUT")
        return TextLength(n_chars, "short_text", self.short_timeout_s, "SHORT_TEXT_TIMEOUT")
