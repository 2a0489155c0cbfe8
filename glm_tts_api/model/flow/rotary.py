"""Turns positions into angles, for the token embedding's position table and for rotary queries and keys."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def position_frequencies(dim: int, device: torch.device | None = None) -> Tensor:
    return 1.0 / (10000 ** (torch.arange(0, dim, 2, device=device).float() / dim))  # [dim / 2]


def position_angles(positions: Tensor, frequencies: Tensor) -> Tensor:
    return positions.float()[..., None] * frequencies  # [..., T, dim / 2]


class Rotary(nn.Module):
    """Makes the tables that rotate pairs of neighbouring channels. The published model rotates only the first
    `dim` channels, before the heads are split. So only head 0 knows positions."""

    inv_freq: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        # Computed on the CPU: on the meta device PyTorch would load its compiler for it, which takes 2 s.
        frequencies = position_frequencies(dim, torch.device("cpu"))
        self.register_buffer("inv_freq", frequencies.to(torch.get_default_device()))

    def forward(self, positions: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Returns the cosine and sine tables of the positions [..., T], [..., T, dim] each. Each frequency
        stands in two neighbouring channels."""
        angles = position_angles(positions, self.inv_freq.float()).repeat_interleave(2, -1)
        return angles.cos().to(dtype), angles.sin().to(dtype)


def rotate_first_channels(x: Tensor, tables: tuple[Tensor, Tensor]) -> Tensor:
    """Rotates the first channels of x [B, T, D] by the cosine and sine `tables` [..., T, dim], in the
    precision of the tables. The channels from `dim` on stay as they are."""
    cos, sin = tables
    head, rest = x[..., : cos.shape[-1]], x[..., cos.shape[-1] :]
    turned = torch.stack([-head[..., 1::2], head[..., ::2]], -1).flatten(-2)
    return torch.cat([(head * cos + turned * sin).to(x.dtype), rest], -1)
