"""Triton kernels for what lies between the matrix products of the flow's blocks, and the blocks with them.

A program computes one frame, or a few frames, from their own numbers alone, in float32. All tensors are
contiguous. Needs Triton, and a GPU to run.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from glm_tts_api.model.flow.config import NORM_EPS
from glm_tts_api.model.flow.dit import BLOCK_CHUNKS, DiT

_ROTATED_ROWS = 16  # frames that one program rotates


@triton.jit
def _add_and_norm(
    x: tl.tensor, branch: tl.tensor, modulation: tl.tensor, out: tl.tensor,
    gate: tl.tensor, scale: tl.tensor, shift: tl.tensor, n_parts: tl.tensor, n_frames: tl.tensor,
    eps: tl.tensor,
    ADDS: tl.constexpr, WIDTH: tl.constexpr, BLOCK: tl.constexpr,
) -> None:  # fmt: skip
    frame = tl.program_id(0)
    parts = modulation + frame // n_frames * n_parts
    column = tl.arange(0, BLOCK)
    inside = column < WIDTH
    value = tl.load(x + frame * WIDTH + column, mask=inside, other=0.0).to(tl.float32)
    if ADDS:
        added = tl.load(branch + frame * WIDTH + column, mask=inside, other=0.0).to(tl.float32)
        value += tl.load(parts + gate + column, mask=inside, other=0.0) * added
        tl.store(x + frame * WIDTH + column, value.to(x.dtype.element_ty), mask=inside)
    value = tl.where(inside, value - tl.sum(value, 0) / WIDTH, 0.0)
    value *= 1.0 / tl.sqrt(tl.sum(value * value, 0) / WIDTH + eps)
    value = value * (1.0 + tl.load(parts + scale + column, mask=inside, other=0.0))
    value += tl.load(parts + shift + column, mask=inside, other=0.0)
    tl.store(out + frame * WIDTH + column, value.to(out.dtype.element_ty), mask=inside)


@triton.jit
def _rotate_pairs(x: tl.tensor, place: tl.tensor, cos: tl.tensor, sin: tl.tensor, inside: tl.tensor) -> None:
    even = tl.load(x + place, mask=inside, other=0.0).to(tl.float32)
    odd = tl.load(x + place + 1, mask=inside, other=0.0).to(tl.float32)
    tl.store(x + place, (even * cos - odd * sin).to(x.dtype.element_ty), mask=inside)
    tl.store(x + place + 1, (odd * cos + even * sin).to(x.dtype.element_ty), mask=inside)


@triton.jit
def _rotate(
    q: tl.tensor, k: tl.tensor, cos: tl.tensor, sin: tl.tensor, n_frames: tl.tensor,
    WIDTH: tl.constexpr, PAIRS: tl.constexpr, BLOCK: tl.constexpr, FRAMES: tl.constexpr,
) -> None:  # fmt: skip
    frame = (tl.program_id(0) * FRAMES + tl.arange(0, FRAMES))[:, None]
    pair = tl.arange(0, BLOCK)[None, :]
    inside = (frame < n_frames) & (pair < PAIRS)
    angle = (frame * PAIRS + pair) * 2  # each frequency stands in two neighbouring channels
    cosine = tl.load(cos + angle, mask=inside, other=0.0).to(tl.float32)
    sine = tl.load(sin + angle, mask=inside, other=0.0).to(tl.float32)
    place = frame * WIDTH + 2 * pair
    _rotate_pairs(q, place, cosine, sine, inside)
    _rotate_pairs(k, place, cosine, sine, inside)


def add_and_norm(
    x: Tensor, branch: Tensor | None, modulation: Tensor, parts: tuple[int, int, int], dtype: torch.dtype
) -> Tensor:
    """Adds `branch` times its gate to x [B, T, D] in place; None adds nothing. Returns the LayerNorm of the
    sum times 1 + scale, plus shift, in `dtype`. `modulation` [B, *] is float32. `parts` are the places of
    gate, scale and shift in its rows."""
    rows, n_frames, width = x.shape
    out = torch.empty_like(x, dtype=dtype)
    _add_and_norm[(rows * n_frames,)](
        x, x if branch is None else branch, modulation, out, *parts, modulation.shape[1], n_frames, NORM_EPS,
        ADDS=branch is not None, WIDTH=width, BLOCK=triton.next_power_of_2(width), num_warps=4,
    )  # fmt: skip
    return out


def rotate(q: Tensor, k: Tensor, tables: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Rotates the first channels of q and k [B, T, D] in place by the cosine and sine `tables` [B, T, dim],
    as `rotate_first_channels` does. Returns q and k."""
    cos, sin = tables
    n_frames, pairs = q.shape[0] * q.shape[1], cos.shape[-1] // 2
    _rotate[(triton.cdiv(n_frames, _ROTATED_ROWS),)](
        q, k, cos, sin, n_frames,
        WIDTH=q.shape[2], PAIRS=pairs, BLOCK=triton.next_power_of_2(pairs), FRAMES=_ROTATED_ROWS, num_warps=4,
    )  # fmt: skip
    return q, k


def transform(
    dit: DiT, h: Tensor, modulation: Tensor, rotary: tuple[Tensor, Tensor], mask: Tensor | None
) -> Tensor:
    """Computes all blocks and the last norm of `dit`, as `DiT.velocity` does with PyTorch's operators. May
    change h [B, T, D] in place."""
    width, blocks = dit.config.trans_dim, list[Any](dit.transformer_blocks)
    h, dtype = h.contiguous(), getattr(blocks[0].attn.to_v, "dtype", h.dtype)  # of the products
    cos, sin = (table.expand(*h.shape[:2], -1).contiguous() for table in rotary)
    if mask is not None:  # made numbers here, and not again in each layer
        mask = torch.zeros(mask.shape, dtype=dtype, device=h.device).masked_fill_(~mask, -torch.inf)
    branch, gate = None, 0
    for index, block in enumerate(blocks):
        first = index * BLOCK_CHUNKS * width
        shift_a, scale_a, gate_a, shift_f, scale_f, gate_f = range(first, first + BLOCK_CHUNKS * width, width)
        normed = add_and_norm(h, branch, modulation, (gate, scale_a, shift_a), dtype)
        branch = block.attn(normed, (cos, sin), mask, rotate)
        branch, gate = (
            block.ff(add_and_norm(h, branch, modulation, (gate_a, scale_f, shift_f), dtype)),
            gate_f,
        )
    scale = len(blocks) * BLOCK_CHUNKS * width
    return add_and_norm(h, branch, modulation, (gate, scale, scale + width), h.dtype)
