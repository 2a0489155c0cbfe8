"""When somebody who plays a streamed answer as it comes has nothing left to play. Knows seconds; no audio."""

from __future__ import annotations

import time


class Playback:
    """Playback begins with the first piece of audio. The time that a client takes to read does not count: a
    gap is audio that was not made when it was due."""

    def __init__(self) -> None:
        self._dry_at: float | None = None
        self._came_at = 0.0

    @property
    def sounds_until(self) -> float:
        """The end of the audio so far, on time.perf_counter's clock; 0 before it begins."""
        return self._dry_at or 0.0

    def came(self, seconds: float) -> float:
        """A piece of audio, just made, that plays for `seconds`. Returns the seconds of silence before it."""
        now = self._came_at = time.perf_counter()
        gap = 0.0 if self._dry_at is None else max(0.0, now - self._dry_at)
        self._dry_at = seconds + (now if self._dry_at is None else self._dry_at + gap)
        return gap

    def passed_on(self) -> None:
        """The client has taken that piece."""
        assert self._dry_at is not None
        self._dry_at += time.perf_counter() - self._came_at
