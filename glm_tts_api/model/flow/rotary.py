"""Positions as angles: what the token embedding's table and the rotation of queries and keys are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def position_frequencies(dim: int, device: torch.device | None = None) -> Tensor:
    return 1.0 / (10000 ** (torch.arange(0, dim, 2, device=device).float() / dim))  # [dim / 2]


def position_angles(positions: Tensor, frequencies: Tensor) -> Tensor:
    return positions.float()[..., None] * frequencies  # [..., T, dim / 2]


class Rotary(nn.Module):
    """Rotation of neighbouring channel pairs. The published model turns the first `dim` channels only, before
    the heads are split: head 0 knows positions, the others do not."""

    inv_freq: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        # Computed on the CPU: on the meta device PyTorch would load its compiler for it, which takes 2 s.
        frequencies = position_frequencies(dim, torch.device("cpu"))
        self.register_buffer("inv_freq", frequencies.to(torch.get_default_device()))

    def forward(self, positions: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """positions [..., T] -> cosine and sine tables, [..., T, dim] each, every frequency twice in a
        row."""
        angles = position_angles(positions, self.inv_freq.float()).repeat_interleave(2, -1)
        return angles.cos().to(dtype), angles.sin().to(dtype)


def rotate_first_channels(x: Tensor, tables: tuple[Tensor, Tensor]) -> Tensor:
    """x [B, T, D], of which the tables' width is rotated, in their precision."""
    cos, sin = tables
    head, rest = x[..., : cos.shape[-1]], x[..., cos.shape[-1] :]
    turned = torch.stack([-head[..., 1::2], head[..., ::2]], -1).flatten(-2)
    return torch.cat([(head * cos + turned * sin).to(x.dtype), rest], -1)
