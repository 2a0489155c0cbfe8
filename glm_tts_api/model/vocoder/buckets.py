"""Convolutions over few lengths: a GPU's library plans each of them anew for every length it has not seen.

Frames are padded to a multiple, and what lies behind the true end is silenced before every convolution. So
each of them reads the zeros that it would have been padded with, and says the same as over the true length.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

FRAME_MULTIPLE = {"cuda": 64}  # a CPU plans little, and its sounds keep their bits


def pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """[..., T] -> [..., T'], zeros behind the end."""
    padding = -x.shape[-1] % multiple
    return F.pad(x, (0, padding)) if padding else x


def silence_from(x: Tensor, end: int) -> Tensor:
    """x [..., T], zero from `end` on, in place: for what nobody else holds."""
    if x.shape[-1] > end:
        x[..., end:].zero_()
    return x
