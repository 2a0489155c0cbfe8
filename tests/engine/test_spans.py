"""Where segments are cut: by the request and its tokens alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from glm_tts_api.engine.spans import LEFT_CONTEXT, LOOK_AHEAD, Window, cut_windows

CHUNKS = st.lists(st.integers(1, 60), min_size=1, max_size=4)


@given(CHUNKS, st.integers(1, 400), st.integers(0, 400))
def test_more_tokens_change_no_span_that_was_cut(chunks: list[int], n: int, n_more: int) -> None:
    cut = cut_windows(chunks, n, ended=False)
    for ended in (False, True):
        assert cut_windows(chunks, n + n_more, ended=ended)[: len(cut)] == cut


@given(CHUNKS, st.integers(1, 400))
def test_every_token_is_in_one_span_and_every_window_within_the_segment(chunks: list[int], n: int) -> None:
    found = cut_windows(chunks, n, ended=True)
    spans = [(window.first, window.end) for window in found]
    assert [first for first, _ in spans] == [0, *(end for _, end in spans[:-1])]
    assert spans[-1][1] == n
    assert [window.last for window in found] == [False] * (len(found) - 1) + [True]
    for window in found:
        assert max(0, window.first - LEFT_CONTEXT) == window.start
        assert window.stop == (n if window.last else window.end + LOOK_AHEAD)


def test_sizes_grow_and_the_last_repeats() -> None:
    found = cut_windows([12, 25, 50], 200, ended=True)
    assert [window.end - window.first for window in found] == [12, 25, 50, 50, 50, 13]


def test_a_short_rest_leaves_with_the_span_before_it() -> None:
    """The part that the look-ahead covers, or half of a long span."""
    for size, n, expected in (
        (20, 46, [20, 46]),
        (20, 47, [20, 40, 47]),
        (60, 150, [60, 150]),
        (60, 151, [60, 120, 151]),
    ):
        assert [window.end for window in cut_windows([size], n, ended=True)] == expected


def test_a_whole_answer_has_one_span_a_segment() -> None:
    assert cut_windows((), 90, ended=True) == [Window(0, 0, 90, 90, True)]
