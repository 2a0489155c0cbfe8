"""Which frames of a batch are real."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from glm_tts_api.model.transfer import to_device


def padding_mask(lengths: Sequence[int], width: int, device: torch.device) -> Tensor:
    """True on real frames, [B, width] bool."""
    frames = torch.arange(width, device=device)
    return frames[None, :] < to_device(torch.tensor(lengths), device)[:, None]


def zero_padding(x: Tensor, padding: Tensor | None) -> Tensor:
    """x [B, T, C], zero where it is padding [B, T]."""
    return x if padding is None else x * padding[:, :, None].to(x.dtype)
