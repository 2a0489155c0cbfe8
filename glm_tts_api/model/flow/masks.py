"""Masks that say which frames of a padded batch are real."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from glm_tts_api.model.transfer import to_device


def padding_mask(lengths: Sequence[int], width: int, device: torch.device) -> Tensor:
    """Returns a mask [B, width] bool that is True on the first lengths[i] frames of row i."""
    frames = torch.arange(width, device=device)
    return frames[None, :] < to_device(torch.tensor(lengths), device)[:, None]


def zero_padding(x: Tensor, padding: Tensor | None) -> Tensor:
    """Returns x [B, T, C] with zeros where the mask `padding` [B, T] is False. None changes nothing."""
    return x if padding is None else x * padding[:, :, None].to(x.dtype)
