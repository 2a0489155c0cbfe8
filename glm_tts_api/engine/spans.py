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

from collections.abc import Sequence
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


def longest_rest(chunks: Sequence[int], cut: Sequence[Window]) -> int:
    """Returns the largest number of tokens that a segment can have if its next span takes all that are left.
    The spans of the windows `cut` have been cut off already."""
    size = chunks[min(len(cut), len(chunks) - 1)] if chunks else 0
    return (cut[-1].end if cut else 0) + size + n_awaited(size)


def cut_windows(chunks: Sequence[int], n_tokens: int, *, ended: bool) -> list[Window]:
    """Returns the windows of all spans that can be cut off a segment which has `n_tokens` tokens so far.
    `chunks` is the list of span sizes in tokens; the last size repeats. An empty list makes the whole
    segment one span. `ended` says that no more tokens will come; then the last span takes all tokens that are
    left. More tokens add windows and change no earlier one."""
    windows, first = list[Window](), 0
    while chunks and n_tokens > longest_rest(chunks, windows):
        end = first + chunks[min(len(windows), len(chunks) - 1)]
        windows.append(Window(max(0, first - LEFT_CONTEXT), first, end, end + LOOK_AHEAD, last=False))
        first = end
    if ended:
        windows.append(Window(max(0, first - LEFT_CONTEXT), first, n_tokens, n_tokens, last=True))
    return windows
