"""Chooses which queued jobs begin to run, so that no owner waits for the many jobs of another. Works in
memory."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence

from glm_tts_api.longform.shelf import Look

MOST_AT_WORK = 8  # jobs that run at a time: each holds its voices in memory and can fill an engine with units


class Turns:
    """The turns of the owners at having a text cut into units. `_cut_at` is when each owner had its last
    turn, a time of time.monotonic."""

    def __init__(self) -> None:
        self._cut_at: dict[str, float] = {}

    def next(self, looks: Sequence[Look]) -> Iterator[Look]:
        """Yields those of the jobs `looks` that begin now. The text of one job is cut at a time: of the owner
        whose last turn was the longest ago. At most MOST_AT_WORK jobs are spoken at a time: the next is of
        the owner who has the fewest of them. An owner's jobs begin in the order in which they were made."""
        queued = [look for look in looks if look.job.state == "queued" and look.may_begin]
        queued.sort(key=lambda look: look.job.created_at)
        uncut = [look for look in queued if not look.job.n_units]
        if uncut and not any(look.task is not None and not look.job.n_units for look in looks):
            look = min(uncut, key=lambda look: self._cut_at.get(look.job.owner, 0.0))
            self._cut_at[look.job.owner] = time.monotonic()
            yield look
        at_work = Counter(look.job.owner for look in looks if look.task is not None and look.job.n_units)
        ready = [look for look in queued if look.job.n_units]
        while ready and at_work.total() < MOST_AT_WORK:
            look = min(ready, key=lambda look: at_work[look.job.owner])
            ready.remove(look)
            at_work[look.job.owner] += 1
            yield look
