"""The rules of `sampling` as one expression on tensors of fixed shape.

A CUDA graph can neither branch on a drawn value nor change a shape. So every row consumes a fixed amount of
noise a step, whether it is used or not, where `sampling` consumes as much as the published loop; and instead
of redrawing while the end comes too early, the end is left out. The distributions are those of `sampling`,
the draws of one seed are not.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.model.sampling import TOP_P, Draw

N_CANDIDATES = 100  # the largest k of top-k


class Rules(NamedTuple):
    """How each row draws: `limit` [B] int64 of its likeliest columns at most, at least 1; `nucleus` [B] bool,
    true for RAS; `may_end` [B] bool; `recent` [B, HISTORY] int64, as `sampling.ras` takes it."""

    limit: Tensor
    nucleus: Tensor
    may_end: Tensor
    recent: Tensor


def noise_width(n_columns: int) -> int:
    """Exponentials that a row takes a step: one for each candidate, and one for each column of a redraw."""
    return min(N_CANDIDATES, n_columns) + n_columns


def draw(logits: Tensor, rules: Rules, *, end: int, noise: Tensor) -> Draw:
    """logits [B, C], noise [B, noise_width(C)] of exponentials; column `end` ends a segment."""
    n_candidates = min(N_CANDIDATES, logits.shape[1])
    limit, nucleus, may_end = rules.limit[:, None], rules.nucleus[:, None], rules.may_end[:, None]
    scores = F.log_softmax(logits.float(), -1)
    scores[:, end].masked_fill_(rules.nucleus & ~rules.may_end, -torch.inf)
    p = scores.softmax(-1)
    top, which = p.topk(n_candidates, 1)
    rank = torch.arange(n_candidates, device=logits.device)
    taken = (rank < limit) & (~nucleus | (top.cumsum(1) - top < TOP_P))
    taken &= may_end | (which != end)
    taken[:, 1] |= ~taken.any(1)  # top-k whose only candidate is the end, too early: the next likeliest
    by_luck = (top / noise[:, :n_candidates]).masked_fill(~taken, -1.0).argmax(1, keepdim=True)
    drawn = which.gather(1, by_luck)
    repeats = nucleus & (rules.recent == drawn).any(1, keepdim=True)
    drawn = torch.where(repeats, (p / noise[:, n_candidates:]).argmax(1, keepdim=True), drawn)
    return Draw(drawn[:, 0], p.gather(1, drawn)[:, 0].log())
