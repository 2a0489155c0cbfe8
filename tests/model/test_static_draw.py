"""Drawing without the host draws as `sampling` does: the same columns from the same noise."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from glm_tts_api.model.sampling import HISTORY, MAX_CANDIDATES, Columns, Draw, ras, top_k
from glm_tts_api.model.static_draw import Rules, draw
from tests.model.history import no_history

pytestmark = pytest.mark.usefixtures("inference")
N_COLUMNS, N_ROWS = 300, 64
END = N_COLUMNS - 1


def _generators() -> list[torch.Generator]:
    return [torch.Generator().manual_seed(row) for row in range(N_ROWS)]


def _logits(scale: float = 2.0) -> Tensor:
    return scale * torch.randn(N_ROWS, N_COLUMNS, generator=torch.Generator().manual_seed(1))


def _noise(logits: Tensor, taken: list[int]) -> Tensor:
    """What `sampling` takes from the rows' generators, each value at its column: taken[i] candidates of the
    row `logits[i]`, then one for each column."""
    noise = torch.ones(N_ROWS, 2, N_COLUMNS)
    ranked = logits.sort(1, descending=True).indices
    for row, count, which, generator in zip(noise, taken, ranked, _generators(), strict=True):
        row[0, which[:count]] = torch.empty(count).exponential_(generator=generator)
        uniform = torch.empty(N_COLUMNS, dtype=torch.float64).uniform_(generator=generator)
        row[1] = -torch.log1p(-uniform).float()
    return noise


def _any_noise() -> Tensor:
    return torch.empty(N_ROWS, 2, N_COLUMNS).exponential_(generator=torch.Generator().manual_seed(2))


def _rules(limit: int, *, nucleus: bool, may_end: bool | Tensor, recent: Tensor | None = None) -> Rules:
    rows = torch.ones(N_ROWS, dtype=torch.bool)
    return Rules(
        rows * limit, rows & nucleus, rows & may_end, no_history(N_ROWS) if recent is None else recent
    )


def _nucleus(logits: Tensor) -> list[int]:
    """Entries of RAS's nucleus, counted as docs/model.md 4 does."""
    counts = []
    for row in logits.softmax(-1).sort(descending=True).values:
        total, n = torch.zeros(()), 0
        while total < 0.8 and n < MAX_CANDIDATES:
            total, n = total + row[n], n + 1
        counts.append(n)
    return counts


def _assert_same(found: Draw, expected: Draw) -> None:
    assert found.columns.tolist() == expected.columns.tolist()
    torch.testing.assert_close(found.log_probs, expected.log_probs)


@pytest.mark.parametrize("may_end", [False, True])
def test_ras_draws_the_same_columns_and_redraws_the_same_repetitions(may_end: bool) -> None:
    logits = _logits()
    logits[:, END] += 6.0 * may_end
    ranked = logits.argsort(1, descending=True)
    recent = torch.where(torch.arange(N_ROWS)[:, None] % 2 == 0, ranked[:, :HISTORY], -1)
    columns = Columns(end=END, vocab_size=N_COLUMNS)
    rows = torch.full((N_ROWS,), may_end)
    expected = ras(logits, columns, generators=_generators(), recent=recent, may_end=rows)
    barred = logits if may_end else logits.index_fill(1, torch.tensor([END]), -torch.inf)
    rules = _rules(MAX_CANDIDATES, nucleus=True, may_end=may_end, recent=recent)
    _assert_same(draw(logits, rules, end=END, noise=_noise(barred, _nucleus(barred))), expected)
    if may_end:
        assert END in expected.columns


@pytest.mark.parametrize("k", [1, 5, 100])
def test_top_k_draws_the_same_columns(k: int) -> None:
    logits, rows = _logits(), torch.ones(N_ROWS, dtype=torch.bool)
    columns = Columns(end=END, vocab_size=N_COLUMNS)
    expected = top_k(logits, columns, generators=_generators(), k=[k] * N_ROWS, may_end=rows)
    rules = _rules(k, nucleus=False, may_end=True)
    _assert_same(draw(logits, rules, end=END, noise=_noise(logits, [k] * N_ROWS)), expected)


@pytest.mark.parametrize(("k", "drawn"), [(3, {3, 8}), (1, {3})])
def test_top_k_that_must_not_end_draws_from_its_other_candidates(k: int, drawn: set[int]) -> None:
    """`sampling` gets there by drawing again. Top-1 takes the next likeliest."""
    logits = torch.full((N_ROWS, N_COLUMNS), -20.0)
    logits[:, [END, 3, 8]] = torch.tensor([4.0, 1.0, 1.0])
    found = draw(logits, _rules(k, nucleus=False, may_end=False), end=END, noise=_any_noise())
    assert set(found.columns.tolist()) == drawn
    torch.testing.assert_close(found.log_probs, logits.log_softmax(-1)[:, 3])


def test_logits_that_are_not_numbers_show_in_their_row_alone() -> None:
    logits = _logits()
    logits[5] = torch.nan
    rules = _rules(MAX_CANDIDATES, nucleus=True, may_end=True)
    found = draw(logits, rules, end=END, noise=_any_noise())
    assert found.log_probs.isfinite().tolist() == [row != 5 for row in range(N_ROWS)]


def test_of_equal_logits_those_with_the_lower_columns_are_candidates() -> None:
    logits = torch.zeros(N_ROWS, N_COLUMNS)
    logits[:, [7, 200]] = 1.0
    rules = _rules(5, nucleus=False, may_end=True)
    drawn = draw(logits, rules, end=END, noise=_any_noise())
    assert set(drawn.columns.tolist()) == {0, 1, 2, 7, 200}


@pytest.mark.parametrize("nucleus", [False, True])
def test_noise_belongs_to_its_column_whatever_the_rank_of_that(nucleus: bool) -> None:
    """A rounding that lets two candidates change places moves a draw only where it was as close as that."""
    logits = torch.full((N_ROWS, N_COLUMNS), -9.0)
    logits[:, [3, 8, 11]] = torch.tensor([2.0, 2.00001, 1.0])
    swapped = logits.clone()
    swapped[:, [3, 8]] = torch.tensor([2.00001, 2.0])
    rules = _rules(MAX_CANDIDATES, nucleus=nucleus, may_end=True)
    one, other = (draw(each, rules, end=END, noise=_any_noise()) for each in (logits, swapped))
    assert one.columns.tolist() == other.columns.tolist()
    assert {3, 8} <= set(one.columns.tolist())
