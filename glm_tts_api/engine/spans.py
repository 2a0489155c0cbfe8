"""Where a segment is cut into the spans that are rendered at once. Knows numbers of tokens; no load, no
clock.

A span's window begins some tokens before it and ends some behind, so that its frames are rendered in context
(nearly all that a frame takes from the future lies in the next six tokens: docs/streaming.md). Where it is
cut depends on the request and its tokens alone, so a streamed answer is the same whatever else the server
does. The prompt is solved anew in each window, so a window for a short rest would cost nearly as much as a
long one. Therefore a rest of at most half a span is rendered with that span, unless the span is short. A
short one is wanted soon, and waits for nothing but its look-ahead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LEFT_CONTEXT = 50  # tokens: 2 s
LOOK_AHEAD = 6


def n_awaited(size: int) -> int:
    """Tokens behind a span of `size` tokens without which it is cut at the end of its segment alone."""
    return LOOK_AHEAD if size <= LEFT_CONTEXT else size // 2


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens `first` to `end` of a segment, rendered among those from `start` to `stop`; `last`: none
    follow."""

    start: int
    first: int
    end: int
    stop: int
    last: bool


@dataclass(slots=True)
class SpanCutter:
    """Cuts one segment. `chunks`: tokens of its spans, the last size repeats; None: all of it at once."""

    chunks: Sequence[int] | None
    n_spans: int = 0
    n_cut: int = 0
    done: bool = False

    def cut(self, n_tokens: int, *, ended: bool) -> Iterator[Window]:
        """The windows that can be rendered now that there are `n_tokens` tokens, and no more to come if
        `ended`."""
        while not self.done and self.chunks is not None:
            size = self.chunks[min(self.n_spans, len(self.chunks) - 1)]
            end = self.n_cut + size
            if n_tokens <= end + n_awaited(size):
                break
            yield self._window(end, end + LOOK_AHEAD)
        if ended and not self.done:
            self.done = True
            yield self._window(n_tokens, n_tokens)

    def _window(self, end: int, stop: int) -> Window:
        first, self.n_cut = self.n_cut, end
        self.n_spans += 1
        return Window(max(0, first - LEFT_CONTEXT), first, end, stop, self.done)
