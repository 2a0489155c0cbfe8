"""Shares a resource among clients by the work that is done for each: start-time fair queueing (Goyal, Vin and
Cheng 1996). Knows names and numbers; no requests, no threads.

Each client has a virtual time, which its work moves forward. The client with the lowest virtual time is
next. A client that is new, or comes back after a pause, gets the virtual time of the client that was served
last. So it is next at once, and it gets nothing back for the time in which it wanted no work.
"""

from __future__ import annotations


class FairShares:
    """The virtual times of the clients of one resource. The unit of work is the caller's."""

    def __init__(self) -> None:
        self._now = 0.0  # the virtual time of the client that was served last
        self._ahead: dict[str, float] = {}  # by client, its virtual time if that is later than `_now`

    def turn(self, client: str) -> float:
        """Returns the client's virtual time. Of the clients that wait, the one with the lowest is next."""
        return max(self._now, self._ahead.get(client, 0.0))

    def serve(self, client: str, work: float = 1.0) -> None:
        """Counts work that is done for `client`."""
        self._now = self.turn(client)
        self._ahead[client] = self._now + work
        self._ahead = {name: turn for name, turn in self._ahead.items() if turn > self._now}
