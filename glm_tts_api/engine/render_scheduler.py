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
from collections.abc import Callable
from typing import TYPE_CHECKING

from glm_tts_api.engine.fair_shares import FairShares

if TYPE_CHECKING:
    from glm_tts_api.engine.request import Span

_OLDEST_EVERY = 4


class RenderScheduler:
    """A queue of spans that become audio step by step, in their order of arrival. Any thread may call. While
    `background_paused` is True, background spans (nobody waits for their audio) get no turn. `wake` is called
    after spans were added."""

    def __init__(self) -> None:
        self.background_paused = False
        self.wake: Callable[[], None] = lambda: None
        self._spans: list[Span] = []
        self._shares = FairShares()
        self._n_turns = 0
        self._lock = threading.Lock()

    @property
    def n_wanting(self) -> int:
        """The number of spans that may take a step now or that a thread works on."""
        with self._lock:
            return len(self._free()) + sum(span.taken for span in self._spans)

    def add(self, *spans: Span) -> None:
        with self._lock:
            self._spans += spans
        if spans:
            self.wake()

    def take(self) -> Span | None:
        """Returns the span whose turn it is; None if no span may take a step now. No other thread gets this
        span until `give_back` is called."""
        with self._lock:
            if not (free := self._free()):
                return None
            n_taken = Counter(span.request.speech.client for span in self._spans if span.taken)
            client = min(
                (span.request.speech.client for span in free),
                key=lambda client: (n_taken[client], self._shares.turn(client)),
            )
            free = [span for span in free if span.request.speech.client == client]
            self._n_turns += 1
            oldest = self._n_turns % _OLDEST_EVERY == 0
            span = free[0] if oldest else min(free, key=lambda span: span.request.due)
            span.taken = True
            self._shares.serve(
                client, len(span.voice.speech_tokens) + len(span.tokens)
            )  # work of a flow step
            return span

    def _free(self) -> list[Span]:
        """Returns the spans that may take a step now, in their order of arrival. Background spans are
        among them only if no other span waits and `background_paused` is False."""
        free = [span for span in self._spans if not span.taken]
        urgent = [span for span in free if not span.request.is_background]
        return urgent or ([] if self.background_paused else free)

    def give_back(self, span: Span, *, ended: bool) -> None:
        """Ends the turn of a span that was taken. If the span has `ended`, removes it and drops its progress;
        otherwise the span waits for its next turn."""
        with self._lock:
            span.taken = False
            if ended:
                self._spans.remove(span)
                span.progress = None

    def drop_cancelled(self) -> list[Span]:
        """Removes the cancelled spans that no thread works on, and returns them."""
        with self._lock:
            dropped = [span for span in self._spans if not span.taken and span.request.cancelled]
            self._spans = [span for span in self._spans if span not in dropped]
        return dropped
