"""Draws the next token of many rows on a CPU (docs/model.md 4), by repetition-aware sampling (RAS) or by
top-k.

Each row has its own torch.Generator and gets the same token as if it were alone, so other rows change
nothing. The draws are the same as those of torch.multinomial in the published code: multinomial(p, 1,
replacement=True) is argmax(p / e), with one exponentially distributed number e for each entry of p.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

HISTORY = 10  # RAS compares a drawn column with the ten columns drawn before it
TOP_P = 0.8
MAX_CANDIDATES = 25
MAX_REDRAWS = 100  # top-k draws again up to 100 times if the end comes too early; then the end is excluded


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The meaning of the columns of the logits.

    `end` is the column that ends a segment. `ids` [C] has the vocabulary id of each column, where only part
    of the vocabulary is computed; None means that column i is the id i. A draw from all columns uses
    `vocab_size` random numbers in both cases. So leaving out ids that cannot be drawn does not change the
    other draws.
    """

    end: int
    vocab_size: int
    ids: Tensor | None = None


class Draw(NamedTuple):
    """The drawn column of each row, [B] int64, and the logarithm of its probability, [B]."""

    columns: Tensor
    log_probs: Tensor


def ras(
    logits: Tensor,
    columns: Columns,
    *,
    generators: Sequence[torch.Generator],
    recent: Tensor,
    may_end: Tensor,
) -> Draw:
    """Draws one column for each row by repetition-aware sampling. The first draw is from the nucleus (the
    likeliest columns). If the drawn column is among the row's recent ones, a second draw from all columns
    replaces it.

    `logits` is [B, C]. `recent` [B, HISTORY] has the columns drawn last, with -1 where there are fewer.
    `may_end` [B] bool is False while a row is too short to end.
    """
    p = probabilities(logits, columns.end, barred=~may_end)
    top, which = _ranked(p, MAX_CANDIDATES)  # [B, 25]
    # The sum of the entries before each one, added one by one in float32, as in the published code.
    # torch.cumsum adds in float64 on the CPU, so the nucleus could end one entry earlier or later.
    before = F.pad(torch.from_numpy(np.cumsum(top[:, :-1].numpy(), axis=1)), (1, 0))
    drawn = _draw(top, before < TOP_P, which, generators)
    repeats = (recent == drawn[:, None]).any(1).nonzero()[:, 0].tolist()
    if repeats:
        noise = _exponentials(columns, [generators[row] for row in repeats])
        drawn[repeats] = (p[repeats] / noise).argmax(1)
    return Draw(drawn, p.gather(1, drawn[:, None])[:, 0].log())


def top_k(
    logits: Tensor,
    columns: Columns,
    *,
    generators: Sequence[torch.Generator],
    k: Sequence[int],
    may_end: Tensor,
) -> Draw:
    """Draws one of the k[row] likeliest columns for each row. While the drawn column is the end and the row
    may not end yet (`may_end` [B] bool is False), draws again. After MAX_REDRAWS times the end is
    excluded."""
    p = probabilities(logits, columns.end, barred=torch.zeros_like(may_end))
    drawn = _draw_top_k(p, k, generators)
    for n_redrawn in range(MAX_REDRAWS + 1):
        rows = ((drawn == columns.end) & ~may_end).nonzero()[:, 0].tolist()
        if not rows:
            break
        of = p if n_redrawn < MAX_REDRAWS else probabilities(logits, columns.end, barred=~may_end)
        drawn[rows] = _draw_top_k(of[rows], [k[row] for row in rows], [generators[row] for row in rows])
    return Draw(drawn, p.gather(1, drawn[:, None])[:, 0].log())


def probabilities(logits: Tensor, end: int, *, barred: Tensor) -> Tensor:
    """Returns the softmax of the logits, [B, C] float32. The column `end` gets 0 in the rows for which
    `barred` [B] is True."""
    scores = F.log_softmax(logits.float(), -1)
    scores[:, end].masked_fill_(barred, -torch.inf)
    return scores.softmax(-1)


def _ranked(p: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Returns the `n` largest values of each row and their columns, [B, n] each, in descending order. Equal
    values are ordered by column."""
    values, which = p.topk(min(n, p.shape[1]), 1)
    by_column = which.argsort(1)
    values, order = values.gather(1, by_column).sort(dim=1, descending=True, stable=True)
    return values, which.gather(1, by_column).gather(1, order)


def _draw_top_k(p: Tensor, k: Sequence[int], generators: Sequence[torch.Generator]) -> Tensor:
    top, which = _ranked(p, max(k))
    taken = torch.arange(top.shape[1]) < torch.tensor(k)[:, None]
    return _draw(top, taken, which, generators)


def _draw(top: Tensor, taken: Tensor, which: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
    """Draws one of the first entries of each row, those for which `taken` [B, n] is True, by their
    probabilities `top` [B, n]. Returns the entry's column from `which` [B, n], as [B]."""
    noise = torch.ones(top.shape)
    for row, (count, generator) in enumerate(zip(taken.sum(1).tolist(), generators, strict=True)):
        noise[row, :count].exponential_(generator=generator)
    scores = (top / noise).masked_fill(~taken, -1.0)
    return which.gather(1, scores.argmax(1, keepdim=True))[:, 0]


def _exponentials(columns: Columns, generators: Sequence[torch.Generator]) -> Tensor:
    """Draws an exponentially distributed number for each generator and column. Each generator is advanced by
    as many draws as the vocabulary has ids.

    torch makes each of these numbers from a uniform float64. Drawing all float64 numbers, and taking the
    logarithms only of those that belong to a column, gives the same bits in a quarter of the time.
    """
    uniform = torch.empty(len(generators), columns.vocab_size, dtype=torch.float64)
    for row, generator in zip(uniform, generators, strict=True):
        row.uniform_(generator=generator)
    if columns.ids is not None:
        uniform = uniform.index_select(1, columns.ids)
    return -torch.log1p(-uniform).float()
