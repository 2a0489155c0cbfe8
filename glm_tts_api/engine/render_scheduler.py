"""Chooses the span that takes the next step of its rendering. Plain Python: knows spans and the times at
which they are due, no tensors.

The next turn goes to the client for which the fewest threads work. Of several such clients, the one with the
least work done gets it (FairShares). Of a client's spans, the one that is due first goes first (earliest
deadline first). The scheduler chooses again for each step, so a new span that is due sooner overtakes spans
that have begun. Every fourth turn goes to the client's oldest span, so that new spans do not keep an old one
waiting for ever. A background span (nobody waits for its audio) gets a turn only when no other span waits for
a turn.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

from glm_tts_api.engine.fair_shares import FairShares

if TYPE_CHECKING:
    from glm_tts_api.engine.request import Span

_OLDEST_EVERY = 4


class RenderScheduler:
    """A queue of spans that become audio step by step, in their order of arrival. Any thread may call. While
    `background_paused` is True, background spans (nobody waits for their audio) get no turn."""

    def __init__(self) -> None:
        self.background_paused = False
        self._spans: list[Span] = []
        self._shares = FairShares()
        self._n_turns = 0
        self._lock = threading.Lock()

    @property
    def busy(self) -> bool:
        """Whether `take` would return a span now."""
        with self._lock:
            return bool(self._free())

    @property
    def n_wanting(self) -> int:
        """The number of spans that may take a step now or that a thread works on."""
        with self._lock:
            return len(self._free()) + sum(span.taken for span in self._spans)

    def add(self, span: Span) -> None:
        with self._lock:
            self._spans.append(span)

    def take(self) -> Span | None:
        """Returns the span whose turn it is; None if no span may take a step now. No other thread gets this
        span until `put_back` is called."""
        with self._lock:
            free = self._of_the_next_client(self._free())
            if not free:
                return None
            self._n_turns += 1
            oldest = self._n_turns % _OLDEST_EVERY == 0
            span = free[0] if oldest else min(free, key=lambda span: span.request.due)
            span.taken = True
            self._shares.serve(span.request.asked.client, span.step_work)
            return span

    def _of_the_next_client(self, free: list[Span]) -> list[Span]:
        n_taken = Counter(span.request.asked.client for span in self._spans if span.taken)

        def turn(client: str) -> tuple[int, float]:
            return n_taken[client], self._shares.turn(client)

        first = min((span.request.asked.client for span in free), key=turn, default="")
        return [span for span in free if span.request.asked.client == first]

    def _free(self) -> list[Span]:
        """Returns the spans that may take a step now, in their order of arrival. Background spans are
        among them only if no other span waits and `background_paused` is False."""
        free = [span for span in self._spans if not span.taken]
        urgent = [span for span in free if not span.request.is_background]
        return urgent or ([] if self.background_paused else free)

    def put_back(self, span: Span) -> None:
        """Makes a span that was taken wait for its next turn."""
        span.taken = False

    def remove(self, span: Span) -> None:
        """Removes a span that has ended, and drops its progress."""
        with self._lock:
            self._spans.remove(span)
        span.taken, span.progress = False, None

    def drop_cancelled(self) -> list[Span]:
        """Removes the cancelled spans that no thread works on, and returns them."""
        with self._lock:
            dropped = [span for span in self._spans if not span.taken and span.request.cancelled]
            self._spans = [span for span in self._spans if span not in dropped]
        return dropped
