"""Which job gets the next free decode row. Plain Python: knows rows as numbers, no tensors, no threads.

Every admitted job owns one row. Further rows (beam candidates, side-by-side segments) are borrowed
round-robin among the jobs that can use them, and a few stay free so that a newcomer starts at once.
A borrowed row is given back when its segment ends; jobs without a row are served before anyone borrows.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

JobT = TypeVar("JobT", bound=Hashable)


class Scheduler(Generic[JobT]):
    """Hands out `n_rows` rows; keeps up to `n_reserved` of them free of borrowers."""

    def __init__(self, n_rows: int, *, n_reserved: int = 0) -> None:
        if n_rows < 1 or n_reserved < 0:
            raise ValueError(f"need n_rows >= 1 and n_reserved >= 0, got {n_rows} and {n_reserved}")
        self.n_rows = n_rows
        self._n_reserved = n_reserved
        self._free = list(range(n_rows))  # a heap: low rows first keeps the batch dense
        self._owner: dict[int, JobT] = {}
        self._held: dict[JobT, set[int]] = {}  # insertion order is the round-robin order

    @property
    def n_busy(self) -> int:
        return len(self._owner)

    def admit(self, job: JobT) -> None:
        """The job may be given rows from now on."""
        if job in self._held:
            raise ValueError("the job is already admitted")
        self._held[job] = set()

    def retire(self, job: JobT) -> list[int]:
        """The job needs no more rows. Returns the rows it still held, which are free now."""
        rows = sorted(self._held.pop(job, ()))
        for row in rows:
            self._free_row(row)
        return rows

    def release(self, row: int) -> None:
        """The row's segment has ended."""
        self._held[self._owner[row]].discard(row)
        self._free_row(row)

    def assign(self, wants: Mapping[JobT, int]) -> list[tuple[JobT, int]]:
        """Gives free rows to jobs, where `wants[job]` is how many more rows the job could use now."""
        left = {job: wants[job] for job in self._held if wants.get(job, 0) > 0}
        given = [(job, self._take(job, left)) for job in list(left) if self._free and not self._held[job]]
        n_keep = min(self._n_reserved, self.n_rows - len(self._held))
        while left and len(self._free) > n_keep:
            job = next(job for job in self._held if job in left)
            given.append((job, self._take(job, left)))
            self._held[job] = self._held.pop(job)  # to the back of the round
        return given

    def _take(self, job: JobT, left: dict[JobT, int]) -> int:
        row = heapq.heappop(self._free)
        self._owner[row] = job
        self._held[job].add(row)
        left[job] -= 1
        if not left[job]:
            del left[job]
        return row

    def _free_row(self, row: int) -> None:
        del self._owner[row]
        heapq.heappush(self._free, row)
