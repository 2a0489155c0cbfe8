"""Calculates when a client that plays a streamed answer as it arrives has no more audio to play. Works on
seconds; knows no audio."""

from __future__ import annotations

import time


class Playback:
    """The playback of one streamed answer by a client that plays audio as soon as it arrives. It begins with
    the first piece. A gap is silence because a piece was not made in time; time in which the client was slow
    to read does not count as a gap."""

    def __init__(self) -> None:
        self._dry_at: float | None = None
        self._came_at = 0.0

    @property
    def sounds_until(self) -> float:
        """The time, on time.perf_counter's clock, at which the audio made so far has been played; 0 before
        the first piece."""
        return self._dry_at or 0.0

    def came(self, seconds: float) -> float:
        """Notes that a piece of audio that plays for `seconds` was just made. Returns the length in seconds
        of the gap before this piece; 0 for the first piece, or if the audio before it is still playing."""
        now = self._came_at = time.perf_counter()
        gap = 0.0 if self._dry_at is None else max(0.0, now - self._dry_at)
        self._dry_at = seconds + (now if self._dry_at is None else self._dry_at + gap)
        return gap

    def passed_on(self) -> None:
        """Notes that the client has taken the piece that was last passed to `came`. The end of playback moves
        by the time that the client took, which does not count as a gap."""
        assert self._dry_at is not None
        self._dry_at += time.perf_counter() - self._came_at
