"""Cuts a segment's speech tokens into spans. A span is a run of tokens that is rendered at once. Knows
numbers of tokens; no load, no clock.

Each span is rendered in a window: some tokens before the span and some after it are rendered with it, as
context. (Nearly everything that a frame takes from the future lies in the next six tokens:
docs/streaming.md.) The places of the cuts depend on the request and its tokens alone. So a streamed answer is
the same whatever else the server does.

The prompt is computed again in each window, so a window for a short rest of a segment would cost nearly as
much as one for a long rest. Therefore a rest of at most half a span is rendered together with the span before
it. A short span does not wait for that: its audio is wanted soon, so it waits for its look-ahead alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LEFT_CONTEXT = 50  # tokens of context before a span: 2 s
LOOK_AHEAD = 6  # tokens of context after a span


def n_awaited(size: int) -> int:
    """Returns for how many tokens a span of `size` tokens waits before it is cut off. The span is cut off as
    soon as more tokens than this have been decoded after the span. If the segment ends before that, the span
    takes all tokens that are left."""
    return LOOK_AHEAD if size <= LEFT_CONTEXT else size // 2


@dataclass(frozen=True, slots=True)
class Window:
    """A span of a segment, and the tokens around it that are rendered with it. The span has the tokens from
    `first` up to (not including) `end`; the tokens from `start` up to `stop` are rendered. `last` says that
    the segment has no tokens after the span."""

    start: int
    first: int
    end: int
    stop: int
    last: bool


@dataclass(slots=True)
class SpanCutter:
    """Cuts one segment into spans. `chunks` is the list of span sizes in tokens; the last size repeats. None
    makes the whole segment one span. `n_spans` spans with `n_cut` tokens have been cut so far. `done` says
    that the segment is cut to its end."""

    chunks: Sequence[int] | None
    n_spans: int = 0
    n_cut: int = 0
    done: bool = False

    @property
    def longest_rest(self) -> int:
        """The largest number of tokens that the segment can have if its next span takes all that are left."""
        size = self._next_size
        return self.n_cut + size + n_awaited(size)

    @property
    def _next_size(self) -> int:
        return self.chunks[min(self.n_spans, len(self.chunks) - 1)] if self.chunks else 0

    def cut(self, n_tokens: int, *, ended: bool) -> Iterator[Window]:
        """Cuts off all spans that are possible now, and yields their windows. The segment has `n_tokens`
        tokens so far. `ended` says that no more tokens will come; then the last span takes all tokens that
        are left. Each call goes on where the last call stopped."""
        while not self.done and self.chunks is not None:
            if n_tokens <= self.longest_rest:
                break
            end = self.n_cut + self._next_size
            yield self._window(end, end + LOOK_AHEAD)
        if ended and not self.done:
            self.done = True
            yield self._window(n_tokens, n_tokens)

    def _window(self, end: int, stop: int) -> Window:
        first, self.n_cut = self.n_cut, end
        self.n_spans += 1
        return Window(max(0, first - LEFT_CONTEXT), first, end, stop, self.done)
