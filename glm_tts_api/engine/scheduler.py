"""Decides which request gets the next free decode row. Plain Python: rows are numbers; no tensors, no
threads.

Every admitted request has a right to one row. More rows (for beam candidates, or for segments that are
decoded at the same time) are borrowed. Requests that can use more rows take turns (round-robin). A few rows
stay free, so that a new request starts at once. A borrowed row is given back when its segment ends. Requests
without a row get a row before any request borrows one.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

RequestT = TypeVar("RequestT", bound=Hashable)


class Scheduler(Generic[RequestT]):
    """Gives the decode rows 0 to `n_rows` - 1 to requests. Requests without a row come first. Of the other
    free rows, up to `n_reserved` are kept for new requests, and the rest goes to requests that already have a
    row."""

    def __init__(self, n_rows: int, *, n_reserved: int = 0) -> None:
        self.n_rows = n_rows
        self._n_reserved = n_reserved
        self._free = list(range(n_rows))  # a heap: low rows first keeps the batch dense
        self._owner: dict[int, RequestT] = {}
        self._held: dict[RequestT, set[int]] = {}  # insertion order is the round-robin order

    @property
    def n_busy(self) -> int:
        return len(self._owner)

    def holds(self, request: RequestT) -> bool:
        """Returns whether the request holds at least one decode row now."""
        return bool(self._held.get(request))

    def admit(self, request: RequestT) -> None:
        """Registers a request, to which `assign` may give rows from now on."""
        self._held[request] = set()

    def retire(self, request: RequestT) -> list[int]:
        """Removes a request that needs no more rows. Frees the rows that it still held, and returns them."""
        rows = sorted(self._held.get(request, ()))
        for row in rows:
            self.release(row)
        self._held.pop(request, None)
        return rows

    def release(self, row: int) -> None:
        """Frees a row whose segment has ended."""
        self._held[self._owner.pop(row)].discard(row)
        heapq.heappush(self._free, row)

    def assign(self, wants: Mapping[RequestT, int]) -> list[tuple[RequestT, int]]:
        """Gives free rows to requests. `wants[request]` is the number of further rows that the request could
        use now. Returns a pair of request and row for each row that was given."""
        left = {request: wants[request] for request in self._held if wants.get(request, 0) > 0}
        given = [
            (request, self._take(request, left))
            for request in list(left)
            if self._free and not self._held[request]
        ]
        n_keep = max(0, min(self._n_reserved, self.n_rows - len(self._held)))
        while left and len(self._free) > n_keep:
            request = next(request for request in self._held if request in left)
            given.append((request, self._take(request, left)))
            self._held[request] = self._held.pop(request)  # to the back of the round
        return given

    def _take(self, request: RequestT, left: dict[RequestT, int]) -> int:
        row = heapq.heappop(self._free)
        self._owner[row] = request
        self._held[request].add(row)
        left[request] -= 1
        if not left[request]:
            del left[request]
        return row
