"""Drawing the next token on a CPU (docs/model.md 4): repetition-aware sampling and top-k, for many rows.

Every row draws from a torch.Generator of its own, and draws just what it would draw alone, so neighbours
change nothing. The draws are those of torch.multinomial as the published loop calls it:
multinomial(p, 1, replacement=True) is argmax(p / e) with as many exponentials e as p has entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

HISTORY = 10  # generated ids that RAS looks back on
TOP_P = 0.8
MAX_CANDIDATES = 25
MAX_REDRAWS = 100  # a top-k draw that may not be the end is repeated; past this the end is excluded


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The meaning of the logits' columns.

    `end` is the column that ends a segment. `ids` [C] holds each column's vocabulary id where only some of
    the vocabulary is computed (None: column i is id i). A draw takes `vocab_size` exponentials either way, so
    leaving out ids that cannot be drawn does not change the draws of the others.
    """

    end: int
    vocab_size: int
    ids: Tensor | None = None


class Draw(NamedTuple):
    """Drawn columns [B] int64 and the logarithms of their probabilities [B]."""

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
    """Nucleus sampling that falls back to the whole distribution where it would repeat itself.

    logits [B, C]; recent [B, HISTORY], the columns drawn last (-1 where there are fewer); may_end [B] bool,
    false while a row is too short.
    """
    p = _probabilities(logits, columns.end, may_end)
    top, which = _ranked(p, MAX_CANDIDATES)  # [B, 25]
    taken = _sums_before(top) < TOP_P
    drawn = _draw(top, taken, which, generators)
    repeats = (recent == drawn[:, None]).any(1).nonzero()[:, 0].tolist()
    if repeats:
        noise = _exponentials(columns, [generators[row] for row in repeats])
        drawn[repeats] = (p[repeats] / noise).argmax(1)
    return _with_log_probs(p, drawn)


def top_k(
    logits: Tensor,
    columns: Columns,
    *,
    generators: Sequence[torch.Generator],
    k: Sequence[int],
    may_end: Tensor,
) -> Draw:
    """Draws one of each row's k[row] likeliest, and draws again while that is the end and the row may not end
    yet."""
    everywhere = torch.ones_like(may_end)
    p = _probabilities(logits, columns.end, everywhere)
    drawn = _draw_top_k(p, k, generators)
    for _ in range(MAX_REDRAWS):
        rows = ((drawn == columns.end) & ~may_end).nonzero()[:, 0].tolist()
        if not rows:
            return _with_log_probs(p, drawn)
        drawn[rows] = _draw_top_k(p[rows], [k[row] for row in rows], [generators[row] for row in rows])
    endless = _probabilities(logits, columns.end, may_end)
    rows = ((drawn == columns.end) & ~may_end).nonzero()[:, 0].tolist()
    if rows:
        drawn[rows] = _draw_top_k(endless[rows], [k[row] for row in rows], [generators[row] for row in rows])
    return _with_log_probs(p, drawn)


def _probabilities(logits: Tensor, end: int, may_end: Tensor) -> Tensor:
    """softmax [B, C] float32, without the end where a row may not end."""
    scores = F.log_softmax(logits.float(), -1)
    scores[:, end].masked_fill_(~may_end, -torch.inf)
    return scores.softmax(-1)


def _ranked(p: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """The n largest of each row in descending order, equals by column: values and columns [B, n]."""
    values, which = p.topk(min(n, p.shape[1]), 1)
    by_column = which.argsort(1)
    values, order = values.gather(1, by_column).sort(dim=1, descending=True, stable=True)
    return values, which.gather(1, by_column).gather(1, order)


def _sums_before(top: Tensor) -> Tensor:
    """The sum of each row's entries before each entry [B, n], added one by one in float32, as published.

    torch.cumsum adds in double on the CPU: the nucleus may then end an entry earlier or later.
    """
    sums = [torch.zeros_like(top[:, 0])]
    for column in top[:, :-1].unbind(1):
        sums.append(sums[-1] + column)
    return torch.stack(sums, 1)


def _draw_top_k(p: Tensor, k: Sequence[int], generators: Sequence[torch.Generator]) -> Tensor:
    top, which = _ranked(p, max(k))
    taken = torch.arange(top.shape[1]) < torch.tensor(k)[:, None]
    return _draw(top, taken, which, generators)


def _draw(top: Tensor, taken: Tensor, which: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
    """Draws one of each row's leading `taken` entries [B, n], by their probabilities `top`; from `which`,
    [B]."""
    noise = torch.ones(top.shape)
    for row, (count, generator) in enumerate(zip(taken.sum(1).tolist(), generators, strict=True)):
        noise[row, :count].exponential_(generator=generator)
    scores = (top / noise).masked_fill(~taken, -1.0)
    return which.gather(1, scores.argmax(1, keepdim=True))[:, 0]


def _exponentials(columns: Columns, generators: Sequence[torch.Generator]) -> Tensor:
    """For each generator an exponential for every column, of as many draws as the vocabulary has ids.

    Torch makes an exponential from a uniform double, one after the other; drawing the doubles and
    taking the logarithms of those that count gives the same bits in a quarter of the time.
    """
    uniform = torch.empty(len(generators), columns.vocab_size, dtype=torch.float64)
    for row, generator in zip(uniform, generators, strict=True):
        row.uniform_(generator=generator)
    if columns.ids is not None:
        uniform = uniform.index_select(1, columns.ids)
    return -torch.log1p(-uniform).float()


def _with_log_probs(p: Tensor, drawn: Tensor) -> Draw:
    return Draw(drawn, p.gather(1, drawn[:, None])[:, 0].log())
