"""The time at which a refused client is to come back, by a lane's measured pace. Knows times alone."""

from __future__ import annotations

from collections.abc import Collection

FIRST_GUESS_S = 5.0  # how long a place is held, before any was given back
MOST_S = 60.0  # OpenAI's clients wait no longer, and come back at once where they are told to
_LEAST_S = 0.05
_WEIGHT = 0.2  # of the newest measurement
_MARGIN = 1.2  # later than reckoned, so that a place is free where others were slower


class Comebacks:
    """A time of its own for each client of one lane that is refused, so that they do not come back together.

    All times in seconds, on one clock.
    """

    def __init__(self) -> None:
        self._held_s = FIRST_GUESS_S
        self._is_measured = False
        self._last = 0.0

    def measure(self, held_s: float) -> None:
        """A place was held for so long."""
        weight = _WEIGHT if self._is_measured else 1.0
        self._held_s += weight * (held_s - self._held_s)
        self._is_measured = True

    def next(self, now: float, since: Collection[float]) -> float:
        """In how many seconds the client that is refused `now` is to come back. `since`: from when on each
        place of the lane is held.

        A place is free when the oldest request ends, and then one after each `held / places`. Those that
        hold a place longer than any measured say that the pace is slower.
        """
        ages = [now - each for each in since] or [0.0]
        held_s = max(self._held_s, sum(ages) / len(ages))
        first = now + max(0.0, held_s - max(ages))
        apart = max(_LEAST_S, _MARGIN * held_s / len(ages))
        self._last = max(first, self._last) + apart
        if self._last > now + MOST_S:  # another round, between the times of the one before
            self._last = min(first + (self._last - now) % apart, now + MOST_S)
        return max(_LEAST_S, self._last - now)
