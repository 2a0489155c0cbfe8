"""Sampling against the published procedure, spelled out a row and an entry at a time."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from glm_tts_api.model.sampling import HISTORY, Columns, ras, top_k
from tests.model.history import no_history, remember

VOCABULARY, END = 400, 399
COLUMNS = Columns(end=END, vocab_size=VOCABULARY)


def _published_ras(logits: Tensor, recent: list[int], may_end: bool, generator: torch.Generator) -> int:
    scores = torch.log_softmax(logits, -1)
    if not may_end:
        scores[END] = -torch.inf
    p, which = scores.softmax(-1).sort(descending=True, stable=True)
    taken, total = 0, torch.zeros(())
    while total < 0.8 and taken < 25:
        total = total + p[taken]
        taken += 1
    drawn = int(which[torch.multinomial(p[:taken], 1, replacement=True, generator=generator)])
    if drawn in recent[-HISTORY:]:
        drawn = int(torch.multinomial(scores.softmax(-1), 1, replacement=True, generator=generator))
    return drawn


def _logits(seed: int, rows: int, sharpness: float = 3.0) -> Tensor:
    return sharpness * torch.randn(rows, VOCABULARY, generator=torch.Generator().manual_seed(seed))


def _generators(rows: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(1000 + row) for row in range(rows)]


def _ras_steps(steps: int, rows: int, sharpness: float) -> tuple[Tensor, list[torch.Generator]]:
    """Tokens [rows, steps] drawn in batches, and the generators as they are left."""
    generators, recent, drawn = _generators(rows), no_history(rows), []
    for step in range(steps):
        may_end = torch.tensor([step >= 2 * row for row in range(rows)])
        draw = ras(
            _logits(step, rows, sharpness), COLUMNS, generators=generators, recent=recent, may_end=may_end
        )
        recent = remember(recent, draw.columns)
        drawn.append(draw.columns)
    return torch.stack(drawn, 1), generators


@pytest.mark.parametrize("sharpness", [0.5, 2.0, 6.0])
def test_ras_draws_what_the_published_loop_draws(sharpness: float) -> None:
    rows, steps = 5, 40
    drawn, generators = _ras_steps(steps, rows, sharpness)
    for row, generator in enumerate(_generators(rows)):
        history: list[int] = []
        for step in range(steps):
            logits = _logits(step, rows, sharpness)[row]
            history.append(_published_ras(logits, history, step >= 2 * row, generator))
        assert drawn[row].tolist() == history
        assert torch.equal(generator.get_state(), generators[row].get_state())


def test_a_repeated_candidate_is_replaced_by_a_draw_from_everything() -> None:
    logits = torch.zeros(1, VOCABULARY)
    logits[0, 7] = 9.0  # about 0.95 of all
    recent = remember(no_history(1), torch.tensor([7]))
    draws = [
        int(ras(logits, COLUMNS, generators=[torch.Generator().manual_seed(seed)], recent=recent,
                may_end=torch.tensor([True])).columns)
        for seed in range(100)
    ]  # fmt: skip
    assert 80 <= draws.count(7) < 100  # the fallback may give the same id again
    assert len(set(draws)) > 1


def test_the_end_is_never_drawn_before_its_time() -> None:
    logits = torch.zeros(4, VOCABULARY)
    logits[:, END] = 30.0
    may_end = torch.tensor([False, True, False, True])
    for draw in (
        ras(logits, COLUMNS, generators=_generators(4), recent=no_history(4), may_end=may_end),
        top_k(logits, COLUMNS, generators=_generators(4), k=[25] * 4, may_end=may_end),
        top_k(logits, COLUMNS, generators=_generators(4), k=[1] * 4, may_end=may_end),
    ):
        assert (draw.columns == END).tolist() == [False, True, False, True]


def test_leaving_out_ids_that_cannot_be_drawn_changes_no_draw() -> None:
    """Restricted columns against the full head with all other ids masked, token for token."""
    ids = torch.tensor(
        [*range(100, 356), 20]
    )  # a contiguous range, and the end after it though its id is lower
    restricted = Columns(end=256, vocab_size=VOCABULARY, ids=ids)
    full = Columns(end=20, vocab_size=VOCABULARY)
    generators, full_generators = _generators(6), _generators(6)
    recent, full_recent = no_history(6), no_history(6)
    may_end = torch.tensor([True, False] * 3)
    for step in range(60):
        logits = _logits(step, 6, 1.0 + step % 5)
        masked = torch.full_like(logits, -torch.inf)
        masked[:, ids] = logits[:, ids]
        draw = ras(logits[:, ids], restricted, generators=generators, recent=recent, may_end=may_end)
        expected = ras(masked, full, generators=full_generators, recent=full_recent, may_end=may_end)
        assert torch.equal(ids[draw.columns], expected.columns)
        torch.testing.assert_close(draw.log_probs, expected.log_probs)
        recent, full_recent = remember(recent, draw.columns), remember(full_recent, expected.columns)


def test_top_k_draws_what_multinomial_draws_each_row_with_its_own_k() -> None:
    k, may_end = [25, 1, 3, 400], torch.ones(4, dtype=torch.bool)
    generators, alone = _generators(4), _generators(4)
    for step in range(30):
        logits = _logits(step, 4)
        draw = top_k(logits, COLUMNS, generators=generators, k=k, may_end=may_end)
        for row in range(4):
            p, which = logits[row].log_softmax(-1).softmax(-1).topk(k[row])
            expected = which[torch.multinomial(p, 1, replacement=True, generator=alone[row])]
            assert int(draw.columns[row]) == int(expected)
