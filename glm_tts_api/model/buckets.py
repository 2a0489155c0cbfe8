"""Mels over few lengths: a GPU's libraries plan anew for every length, and a CUDA graph has one alone.

Frames are padded to a multiple. Their rest behind the true end is silenced before every convolution, hidden
from the attention and left out of sums over time, so that nothing of it is heard.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

FRAME_MULTIPLE = {"cuda": 64}  # a CPU plans little, and its sounds keep their bits


def bucket(n_frames: int, device: torch.device) -> int:
    """The frames that so many are padded to on a device."""
    multiple = FRAME_MULTIPLE.get(device.type, 1)
    return -(-n_frames // multiple) * multiple


def is_padded(device: torch.device) -> bool:
    """Whether a device's mels are padded. They are masked then whatever their length, so that a mel takes the
    same kernels whether it fills its bucket or not."""
    return device.type in FRAME_MULTIPLE


def pad_end(x: Tensor, length: int, value: float = 0.0) -> Tensor:
    """x [..., T] -> [..., length], `value` behind the end."""
    missing = length - x.shape[-1]
    return F.pad(x, (0, missing), value=value) if missing else x


def behind(end: Tensor | None, length: int) -> Tensor | None:
    """Where of `length` places lie behind the end, a number on the device: [length] bool. None: nowhere."""
    return None if end is None else torch.arange(length, device=end.device) >= end


def silence(x: Tensor, hidden: Tensor | None) -> Tensor:
    """x [..., T], zero where `hidden` [T], in place: for what nobody else holds."""
    return x if hidden is None else x.masked_fill_(hidden, 0)
