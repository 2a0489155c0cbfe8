"""Triton kernels that draw tokens: they do what static_draw.py does after the softmax, with the same result.

One program keeps the best columns of a tile of a row. Then one program for each row takes the best ones of
its tiles in order, and draws. All tensors are contiguous. Needs Triton, and a GPU to run.
"""

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

from glm_tts_api.model.sampling import HISTORY, TOP_P
from glm_tts_api.model.static_draw import N_CANDIDATES, ONE

_TILE = 4096  # columns from which one program keeps the best ones
_KEPT = 128  # of them: a power of two, and at least N_CANDIDATES


@triton.jit
def _key(value: tl.tensor, place: tl.tensor) -> tl.tensor:
    """A number, at least 0, that is larger for a larger value, and of equal values for the smaller place. The
    bits of floats that are not negative, read as integers, have the order of the floats."""
    bits = value.to(tl.int32, bitcast=True) & 0x7FFFFFFF  # a NaN may have a sign
    return (bits.to(tl.int64) << 32) + (0x7FFFFFFF - place)


@triton.jit
def _place(key: tl.tensor) -> tl.tensor:
    return 0x7FFFFFFF - (key & 0x7FFFFFFF).to(tl.int32)


@triton.jit
def _keep_best(
    p: tl.tensor, noise: tl.tensor, fields: tl.tensor, best: tl.tensor, again: tl.tensor,
    stride: tl.tensor, n_columns: tl.tensor,
    FIELDS: tl.constexpr, STEPS: tl.constexpr, TILE: tl.constexpr, KEPT: tl.constexpr,
) -> None:  # fmt: skip
    row = tl.program_id(0).to(tl.int64)
    part = row * tl.num_programs(1) + tl.program_id(1)
    column = tl.program_id(1) * TILE + tl.arange(0, TILE)
    inside = column < n_columns
    value = tl.load(p + row * stride + column, mask=inside, other=0.0)
    kept = tl.topk(tl.where(inside, _key(value, column), -1), KEPT)
    tl.store(best + part * KEPT + tl.arange(0, KEPT), kept)
    second = ((row * STEPS + tl.load(fields + row * FIELDS + 5)) * 2 + 1) * n_columns
    luck = value / tl.load(noise + second + column, mask=inside, other=1.0)
    tl.store(again + part, tl.max(tl.where(inside, _key(luck, column), -1), 0))


@triton.jit
def _draw(
    p: tl.tensor, noise: tl.tensor, fields: tl.tensor, best: tl.tensor, again: tl.tensor, out: tl.tensor,
    stride: tl.tensor, n_columns: tl.tensor, n_tiles: tl.tensor, n_candidates: tl.tensor, end: tl.tensor,
    FIELDS: tl.constexpr, HISTORY: tl.constexpr, PAST: tl.constexpr, STEPS: tl.constexpr,
    ONE: tl.constexpr, TOP: tl.constexpr, KEPT: tl.constexpr, BLOCK: tl.constexpr, TILES: tl.constexpr,
) -> None:  # fmt: skip
    row = tl.program_id(0).to(tl.int64)
    fields += row * FIELDS
    limit, nucleus, may_end = tl.load(fields + 2), tl.load(fields + 3) != 0, tl.load(fields + 4) != 0
    first = (row * STEPS + tl.load(fields + 5)) * 2 * n_columns
    at, rank = tl.arange(0, BLOCK), tl.arange(0, KEPT)
    kept = tl.load(best + row * n_tiles * KEPT + at, mask=at < n_tiles * KEPT, other=-1)
    which = _place(tl.topk(kept, KEPT))
    ranked = rank < n_candidates
    top = tl.load(p + row * stride + which, mask=ranked, other=0.0)
    part = (top * ONE).to(tl.int64)
    in_nucleus = tl.cumsum(part, 0) - part < TOP
    taken = ranked & (rank < limit) & (in_nucleus | (nucleus == 0)) & ((which != end) | may_end)
    # Where the only candidate is the end, too early: the next likeliest column.
    taken = taken | ((rank == 1) & (tl.max(taken.to(tl.int32), 0) == 0))
    luck = top / tl.load(noise + first + which, mask=ranked, other=1.0)
    luckiest = _place(tl.max(tl.where(taken, _key(luck, rank), -1), 0))
    drawn = tl.sum(tl.where(rank == luckiest, which, 0), 0)
    past, tile = tl.arange(0, PAST), tl.arange(0, TILES)
    recent = tl.load(fields + FIELDS - HISTORY + past, mask=past < HISTORY, other=-1)
    repeats = nucleus & (tl.max((recent == drawn).to(tl.int32), 0) > 0)
    other = tl.max(tl.load(again + row * n_tiles + tile, mask=tile < n_tiles, other=-1), 0)
    drawn = tl.where(repeats, _place(other), drawn)
    tl.store(out + 2 * row, drawn.to(tl.float32))
    tl.store(out + 2 * row + 1, tl.log(tl.load(p + row * stride + drawn)))


def draw(p: Tensor, fields: Tensor, noise: Tensor, out: Tensor, *, end: int) -> None:
    """Draws one column for each row from the probabilities p [B, C] float32, which are 0 at the column `end`
    where it is barred. Writes the column and the logarithm of its probability to `out` [B, 2] float32.

    `fields` [B, *] int64 has the rules of each row (cuda_decode.py), `noise` [B, STEPS, 2, C] is that of
    static_draw.DrawNoise.
    """
    (rows, n_columns), n_fields, steps = p.shape, fields.shape[1], noise.shape[1]
    tile = max(_KEPT, min(_TILE, triton.next_power_of_2(n_columns)))
    n_tiles = triton.cdiv(n_columns, tile)
    best, again = fields.new_empty(rows, n_tiles, _KEPT), fields.new_empty(rows, n_tiles)
    _keep_best[(rows, n_tiles)](
        p, noise, fields, best, again, p.stride(0), n_columns,
        FIELDS=n_fields, STEPS=steps, TILE=tile, KEPT=_KEPT, num_warps=8,
    )  # fmt: skip
    n_candidates = min(N_CANDIDATES, n_columns)
    _draw[(rows,)](
        p, noise, fields, best, again, out, p.stride(0), n_columns, n_tiles, n_candidates, end,
        FIELDS=n_fields, HISTORY=HISTORY, PAST=triton.next_power_of_2(HISTORY), STEPS=steps,
        ONE=float(ONE), TOP=int(TOP_P * ONE), KEPT=_KEPT, BLOCK=triton.next_power_of_2(n_tiles * _KEPT),
        TILES=triton.next_power_of_2(n_tiles), num_warps=8,
    )  # fmt: skip
