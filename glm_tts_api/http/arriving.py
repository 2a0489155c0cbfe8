"""Limits the memory that arriving request bodies take together. Knows connections; knows no fields."""

from __future__ import annotations

import math
import time

from glm_tts_api.errors import QueueFull
from glm_tts_api.http.connections import Connection

_STANDS_STILL_S = 1.0


class Arriving:
    """Counts the bytes of all request bodies that are arriving. When they exceed `max_bytes` together, cuts
    the connections whose bodies have stopped growing, beginning with the one that stopped first."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._n_bytes = 0
        # The bytes held for each connection, and when they last grew (inf for a whole body).
        self._held: dict[Connection, tuple[int, float]] = {}

    def hold(self, connection: Connection, n_bytes: int, *, is_whole: bool = False) -> None:
        """Notes that the server now holds `n_bytes` of the connection's body, in place of what was noted
        before. `is_whole` says that the body is complete; then it is never cut. If all bodies together exceed
        `max_bytes`, cuts connections whose bodies have not grown for a second. Raises QueueFull if that does
        not free enough memory."""
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
        """Stops counting the connection's body, because it has been read or will not arrive."""
        n_bytes, _ = self._held.pop(connection, (0, 0.0))
        self._n_bytes -= n_bytes
