"""The bodies that are arriving: how much memory they take together. Knows connections; knows no fields."""

from __future__ import annotations

import math
import time

from glm_tts_api.errors import QueueFull
from glm_tts_api.http.connections import Connection

_STANDS_STILL_S = 1.0


class Arriving:
    """Beyond `max_bytes` together, those that stand still go, the one that has done so longest first."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._held: dict[Connection, tuple[int, float]] = {}  # and since when

    def hold(self, connection: Connection, n_bytes: int, *, is_whole: bool = False) -> None:
        """`n_bytes` of its body are there now; a whole one does not stand still. Raises QueueFull where there
        is no room for them."""
        self.release(connection)
        self._held[connection] = n_bytes, math.inf if is_whole else time.monotonic()
        self._n_bytes += n_bytes
        while self._n_bytes > self._max_bytes:
            longest, (_, since) = min(self._held.items(), key=lambda held: held[1][1])
            if time.monotonic() - since < _STANDS_STILL_S:
                raise QueueFull("The server is receiving as much as it has room for. Try again soon.")
            self.release(longest)
            longest.cut()

    def release(self, connection: Connection) -> None:
        """Its body is read, or will not come."""
        n_bytes, _ = self._held.pop(connection, (0, 0.0))
        self._n_bytes -= n_bytes
