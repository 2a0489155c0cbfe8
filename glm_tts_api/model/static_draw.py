"""The rules of `sampling` as one expression on tensors of fixed shape.

A CUDA graph can neither branch on a drawn value nor change a shape. So every row has a fixed amount of noise
a step, used or not; `sampling` consumes as much as the published loop. And where the published loop draws
again because the end comes too early, the end is left out here. The distributions are those of `sampling`,
the draws of one seed are not.

A row's draw does not depend on the number of rows, though a GPU chooses its kernels by that number. For this,
equal logits are ordered by column, noise belongs to a column and not to a rank, the nucleus is summed in
integers, and rows begin aligned.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.model.sampling import TOP_P, Draw

N_CANDIDATES = 100  # the largest k of top-k
_ALIGNED = 64  # columns; rows that begin at other addresses than their neighbours are summed otherwise
_ONE = 2**56  # a probability of 1 as an integer: sums of integers are exact in any order


class Rules(NamedTuple):
    """How each row draws: `limit` [B] int64 of its likeliest columns at most, at least 1; `nucleus` [B] bool,
    true for RAS; `may_end` [B] bool; `recent` [B, HISTORY] int64, as `sampling.ras` takes it."""

    limit: Tensor
    nucleus: Tensor
    may_end: Tensor
    recent: Tensor


def draw(logits: Tensor, rules: Rules, *, end: int, noise: Tensor) -> Draw:
    """logits [B, C]; noise [B, 2, C] of exponentials, for the draw among the candidates and for the one that
    replaces a repetition; column `end` ends a segment."""
    limit, nucleus, may_end = rules.limit[:, None], rules.nucleus[:, None], rules.may_end[:, None]
    p = _probabilities(logits, end=end, barred=rules.nucleus & ~rules.may_end)
    columns = torch.arange(p.shape[1], device=p.device)
    top, which = _ranked(p, columns, min(N_CANDIDATES, p.shape[1]))
    taken = (columns[: which.shape[1]] < limit) & (~nucleus | _begins_in_nucleus(top))
    taken &= may_end | (which != end)
    taken[:, 1] |= ~taken.any(1)  # top-k whose only candidate is the end, too early: the next likeliest
    luck = (top / noise[:, 0].gather(1, which)).masked_fill(~taken, -1.0)
    drawn = which.gather(1, luck.argmax(1, keepdim=True))
    repeats = nucleus & (rules.recent == drawn).any(1, keepdim=True)
    drawn = torch.where(repeats, (p / noise[:, 1]).argmax(1, keepdim=True), drawn)
    return Draw(drawn[:, 0], p.gather(1, drawn)[:, 0].log())


def _probabilities(logits: Tensor, *, end: int, barred: Tensor) -> Tensor:
    """softmax [B, C] float32, without the end in the rows that are `barred` [B]."""
    n_columns = logits.shape[1]
    aligned = F.pad(logits.float(), (0, -n_columns % _ALIGNED), value=-torch.inf)
    scores = F.log_softmax(aligned, -1)
    scores[:, end].masked_fill_(barred, -torch.inf)
    return scores.softmax(-1)[:, :n_columns]


def _ranked(p: Tensor, columns: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """The n largest of each row in descending order, equals by column: values and columns [B, n].

    The bits of a float that is not negative, read as an integer, are in its order. With the column below them
    no two keys are equal, so every algorithm finds the same ones.
    """
    keys = torch.sub(columns, p.view(torch.int32), alpha=2**32)
    which = keys.topk(n, 1, largest=False).indices
    return p.gather(1, which), which


def _begins_in_nucleus(top: Tensor) -> Tensor:
    """Whether the sum of each row's entries before each entry is below TOP_P [B, n]."""
    parts = (top * _ONE).long()
    return parts.cumsum(1) - parts < int(TOP_P * _ONE)
