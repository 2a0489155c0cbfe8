"""Draws tokens by the rules of sampling.py, with tensors of fixed shapes, so that a CUDA graph can do it.

A CUDA graph can neither branch on a drawn value nor change a shape. So each row gets a fixed amount of noise
in each step, whether it is used or not. (sampling.py uses as much as the published code.) Where the published
code draws again because the end comes too early, the end is left out here. The probabilities are the same as
in sampling.py, but a seed gives other draws.

A row's draw does not depend on the number of rows, though a GPU chooses its kernels by that number. For this,
equal logits are ordered by column, the noise belongs to a column and not to a rank, the nucleus is summed in
integers, and rows begin at aligned addresses.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.model.sampling import TOP_P, Draw, probabilities
from glm_tts_api.model.sequence import SpeechSequence

N_CANDIDATES = 100  # the largest k of top-k
_ALIGNED = 64  # columns; with rows at unaligned addresses, sums would round differently
STEPS = 32  # of a row, for which noise is made at once
_DRAWS = 2  # of a step: the draw among the candidates, and the draw that replaces a repeated token
_FLOAT = 4  # bytes
ONE = 2**56  # a probability of 1 as an integer: sums of integers are exact in any order


class Rules(NamedTuple):
    """How each row draws. `limit` [B] int64 is the largest number of candidates, at least 1. `nucleus` [B]
    bool is True for RAS and False for top-k. `may_end` [B] bool is False while a row is too short to end.
    `recent` [B, HISTORY] int64 has the columns drawn last, with -1 where there are fewer."""

    limit: Tensor
    nucleus: Tensor
    may_end: Tensor
    recent: Tensor


def draw(logits: Tensor, rules: Rules, *, end: int, noise: Tensor) -> Draw:
    """Draws one column of the logits [B, C] for each row, by the row's `rules`. The column `end` ends a
    segment. `noise` [B, 2, C] has exponentially distributed numbers: first those for the draw among the
    candidates, then those for the draw that replaces a repeated column."""
    limit, nucleus, may_end = rules.limit[:, None], rules.nucleus[:, None], rules.may_end[:, None]
    p = chances(logits, end, barred=rules.nucleus & ~rules.may_end)
    columns = torch.arange(p.shape[1], device=p.device)
    top, which = _ranked(p, columns, min(N_CANDIDATES, p.shape[1]))
    taken = (columns[: which.shape[1]] < limit) & (~nucleus | _begins_in_nucleus(top))
    taken &= may_end | (which != end)
    taken[:, 1] |= ~taken.any(1)  # where the only candidate is the end, too early: the next likeliest column
    luck = (top / noise[:, 0].gather(1, which)).masked_fill(~taken, -1.0)
    drawn = which.gather(1, luck.argmax(1, keepdim=True))
    repeats = nucleus & (rules.recent == drawn).any(1, keepdim=True)
    drawn = torch.where(repeats, (p / noise[:, 1]).argmax(1, keepdim=True), drawn)
    return Draw(drawn[:, 0], p.gather(1, drawn)[:, 0].log())


def chances(logits: Tensor, end: int, *, barred: Tensor) -> Tensor:
    """Returns the probabilities [B, C] of the logits [B, C], as `probabilities` does. Each row begins at an
    aligned address."""
    n_columns = logits.shape[1]
    aligned = F.pad(logits.float(), (0, -n_columns % _ALIGNED), value=-torch.inf)
    return probabilities(aligned, end, barred=barred)[:, :n_columns]


def _ranked(p: Tensor, columns: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Returns the `n` largest values of each row and their columns, [B, n] each, in descending order. Equal
    values are ordered by column.

    The bits of floats that are not negative, read as integers, have the order of the floats. The sort key has
    these bits and, below them, the column. So no two keys are equal, and each algorithm finds the same
    columns.
    """
    keys = torch.sub(columns, p.view(torch.int32), alpha=2**32)
    which = keys.topk(n, 1, largest=False).indices
    return p.gather(1, which), which


def _begins_in_nucleus(top: Tensor) -> Tensor:
    """Returns, for each entry of `top` [B, n], whether the sum of the entries before it is below TOP_P."""
    parts = (top * ONE).long()
    return parts.cumsum(1) - parts < int(TOP_P * ONE)


def noise_bytes(n_columns: int) -> int:
    """Returns the bytes of GPU memory that the noise of one slot takes, for logits of `n_columns` columns."""
    return STEPS * _DRAWS * n_columns * _FLOAT


class DrawNoise:
    """Holds the noise for the next draws of each slot's row: numbers from an exponential distribution.

    A row's noise depends only on the row's seed and on the number of its tokens: its generator fills one
    block of STEPS steps after the other. A step that failed and is repeated gets the same noise.
    """

    def __init__(self, slots: int, n_columns: int, device: torch.device) -> None:
        self.values = torch.ones(slots, STEPS, _DRAWS, n_columns, device=device)
        self._held: list[tuple[torch.Generator, int] | None] = [None] * slots

    def place(self, row: SpeechSequence) -> int:
        """Returns the place of the row's next draw in its slot's block of noise, from 0 to STEPS - 1. Fills
        the block with new noise if the row has used up the last one."""
        block, place = divmod(len(row.tokens), STEPS)
        wanted = (row.generator, block)
        if self._held[row.slot] != wanted:
            self.values[row.slot].exponential_(generator=row.generator)
            self._held[row.slot] = wanted
        return place
