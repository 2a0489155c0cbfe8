"""The limits of each lane: how many requests, for how long, and texts of which length. Knows no asyncio."""

from __future__ import annotations

from dataclasses import dataclass, replace

from glm_tts_api.stats.figures import LaneName

SHORT_TEXT_CHARS = (
    50  # up to here SHORT_TEXT_TIMEOUT holds; the rest of the short lane has MEDIUM_TEXT_TIMEOUT
)


@dataclass(frozen=True, slots=True)
class TextLength:
    """The length of a text in characters, the lane that it takes, its time-out in seconds and the setting of
    that."""

    n_chars: int
    lane: LaneName
    timeout_s: float
    setting: str


@dataclass(frozen=True, slots=True)
class AdmissionConfig:
    """Limits of one engine, but for the queue's, which is the server's; time-outs in seconds from arrival."""

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
        """The number of requests that may be spoken or wait at once."""
        return n_engines * (self.short_limit + self.long_limit) + 2 * self.queue_size

    def limit_of(self, lane: LaneName) -> int:
        return self.short_limit if lane == "short_text" else self.long_limit

    def on_slots(self, n_slots: int) -> AdmissionConfig:
        """The limits of an engine that speaks `n_slots` requests at once: where those are fewer than the
        lanes' places, the lanes share them in proportion, and each has one at least. 0: all as it is."""
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
