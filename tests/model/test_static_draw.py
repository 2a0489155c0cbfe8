"""Drawing without the host draws as `sampling` does: the same columns from the same noise."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from glm_tts_api.model.sampling import HISTORY, MAX_CANDIDATES, Columns, Draw, ras, top_k
from glm_tts_api.model.static_draw import N_CANDIDATES, Rules, draw, noise_width
from tests.model.history import no_history

N_COLUMNS, N_ROWS = 300, 64
END = N_COLUMNS - 1


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


def _generators() -> list[torch.Generator]:
    return [torch.Generator().manual_seed(row) for row in range(N_ROWS)]


def _logits(scale: float = 2.0) -> Tensor:
    return scale * torch.randn(N_ROWS, N_COLUMNS, generator=torch.Generator().manual_seed(1))


def _noise(taken: list[int]) -> Tensor:
    """What `sampling` takes from the rows' generators: taken[i] candidates, then one for each column."""
    noise = torch.ones(N_ROWS, noise_width(N_COLUMNS))
    for row, count, generator in zip(noise, taken, _generators(), strict=True):
        row[:count].exponential_(generator=generator)
        uniform = torch.empty(N_COLUMNS, dtype=torch.float64).uniform_(generator=generator)
        row[N_CANDIDATES:] = -torch.log1p(-uniform).float()
    return noise


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
    _assert_same(draw(logits, rules, end=END, noise=_noise(_nucleus(barred))), expected)
    if may_end:
        assert END in expected.columns


@pytest.mark.parametrize("k", [1, 5, 100])
def test_top_k_draws_the_same_columns(k: int) -> None:
    logits, rows = _logits(), torch.ones(N_ROWS, dtype=torch.bool)
    columns = Columns(end=END, vocab_size=N_COLUMNS)
    expected = top_k(logits, columns, generators=_generators(), k=[k] * N_ROWS, may_end=rows)
    rules = _rules(k, nucleus=False, may_end=True)
    _assert_same(draw(logits, rules, end=END, noise=_noise([k] * N_ROWS)), expected)


def test_top_k_that_must_not_end_draws_from_its_other_candidates() -> None:
    """`sampling` gets there by drawing again."""
    logits = torch.full((N_ROWS, N_COLUMNS), -20.0)
    logits[:, [END, 3, 8]] = torch.tensor([4.0, 1.0, 1.0])
    found = draw(
        logits,
        _rules(3, nucleus=False, may_end=False),
        end=END,
        noise=torch.empty(N_ROWS, noise_width(N_COLUMNS)).exponential_(
            generator=torch.Generator().manual_seed(2)
        ),
    )
    assert set(found.columns.tolist()) == {3, 8}
    torch.testing.assert_close(found.log_probs, logits.log_softmax(-1)[:, 3])


def test_top_1_that_must_not_end_takes_the_next_likeliest() -> None:
    logits = torch.zeros(N_ROWS, N_COLUMNS)
    logits[:, [END, 7]] = torch.tensor([4.0, 1.0])
    noise = torch.ones(N_ROWS, noise_width(N_COLUMNS))
    found = draw(logits, _rules(1, nucleus=False, may_end=False), end=END, noise=noise)
    assert found.columns.tolist() == [7] * N_ROWS


def test_logits_that_are_not_numbers_show_in_their_row_alone() -> None:
    logits = _logits()
    logits[5] = torch.nan
    noise = torch.ones(N_ROWS, noise_width(N_COLUMNS))
    found = draw(logits, _rules(MAX_CANDIDATES, nucleus=True, may_end=True), end=END, noise=noise)
    assert found.log_probs.isfinite().tolist() == [row != 5 for row in range(N_ROWS)]
