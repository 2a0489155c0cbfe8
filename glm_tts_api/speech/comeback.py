"""Calculates after how many seconds a refused client should try again, from the time that a place of the lane
is held on average. Works on times only."""

from __future__ import annotations

from collections.abc import Collection

FIRST_GUESS_S = 5.0  # how long a place is held, until the first measurement
MOST_S = 60.0  # OpenAI's clients wait at most this long, and ignore a longer Retry-After
_LEAST_S = 0.05
_WEIGHT = 0.2  # the share of the newest measurement in the moving average
_MARGIN = 1.2  # the time between two refused clients, relative to the time in which a place gets free


class Comebacks:
    """Gives each refused client of one lane its own time to try again, so that the clients do not come back
    together.

    All times are in seconds on one clock.
    """

    def __init__(self) -> None:
        self._held_s = FIRST_GUESS_S
        self._is_measured = False
        self._last = 0.0

    def measure(self, held_s: float) -> None:
        """Adds a measurement to the average: a place was held for `held_s` seconds."""
        weight = _WEIGHT if self._is_measured else 1.0
        self._held_s += weight * (held_s - self._held_s)
        self._is_measured = True

    def next(self, now: float, since: Collection[float]) -> float:
        """Returns the number of seconds, from 0.05 to 60, after which the client that is refused at the time
        `now` should try again. `since` has, for each held place of the lane, the time at which it was taken.

        The first place is expected to be free when the oldest request has held its place for the average
        time. After that, one more place is expected every (average time / number of places) seconds. If the
        running requests are on average older than the measured average, their average age is used instead.
        Each client gets a later time than the client that was refused before it. When that would be more than
        60 seconds, the times start again at the first place.
        """
        ages = [now - each for each in since] or [0.0]
        held_s = max(self._held_s, sum(ages) / len(ages))
        first = now + max(0.0, held_s - max(ages))
        apart = max(_LEAST_S, _MARGIN * held_s / len(ages))
        self._last = max(first, self._last) + apart
        if self._last > now + MOST_S:  # start again at the first time, shifted by a part of `apart`
            self._last = min(first + (self._last - now) % apart, now + MOST_S)
        return max(_LEAST_S, self._last - now)
