"""Which frames of a batch are real."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from glm_tts_api.model.transfer import to_device


def padding_mask(lengths: Sequence[int], device: torch.device) -> Tensor | None:
    """True on real frames, [B, T] bool; None when all rows have the same length."""
    if len(set(lengths)) == 1:
        return None
    frames = torch.arange(max(lengths), device=device)
    return frames[None, :] < to_device(torch.tensor(lengths), device)[:, None]


def zero_padding(x: Tensor, padding: Tensor | None) -> Tensor:
    """x [B, T, C], zero where it is padding [B, T]."""
    return x if padding is None else x * padding[:, :, None].to(x.dtype)
