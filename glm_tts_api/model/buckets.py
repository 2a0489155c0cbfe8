"""Pads mels so that they have only a few different lengths: a GPU's libraries make a plan for each length,
and a CUDA graph has one fixed length.

The number of frames is padded to a multiple. The padding after the true end is set to zero before each
convolution, hidden from the attention and left out of sums over time. So it does not change the audio.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

FRAME_MULTIPLE = {"cuda": 64}  # not on a CPU: planning takes it little time, and its audio keeps its bits
# Numbers of frames, the prompt's included, for which the flow runs as a CUDA graph. With more frames, a GPU
# runs a step's kernels more slowly than the CPU launches them.
FLOW_GRAPHS = range(FRAME_MULTIPLE["cuda"], 1024 + 1, FRAME_MULTIPLE["cuda"])
HIFT_GRAPHS = range(FRAME_MULTIPLE["cuda"], 640 + 1, FRAME_MULTIPLE["cuda"])  # a longer mel comes in pieces


def bucket(n_frames: int, device: torch.device) -> int:
    """Returns the number of frames to which `n_frames` frames are padded on `device`."""
    multiple = FRAME_MULTIPLE.get(device.type, 1)
    return -(-n_frames // multiple) * multiple


def is_padded(device: torch.device) -> bool:
    """Returns whether mels are padded on `device`. If so, they are always masked, even where no padding is
    needed, so that each length uses the same kernels."""
    return device.type in FRAME_MULTIPLE


def pad_end(x: Tensor, length: int, value: float = 0.0) -> Tensor:
    """Pads the last dimension of x [..., T] at its end with `value`: the result is [..., length]. `length`
    must be at least T."""
    missing = length - x.shape[-1]
    return F.pad(x, (0, missing), value=value) if missing else x


def behind(end: Tensor | None, length: int) -> Tensor | None:
    """Returns a mask [length] bool that is True at the places from `end` on. `end` is a number in a tensor on
    the device. If `end` is None, there is no padding, and the result is None."""
    return None if end is None else torch.arange(length, device=end.device) >= end


def silence(x: Tensor, hidden: Tensor | None) -> Tensor:
    """Sets x [..., T] to zero in place where the mask `hidden` [T] is True, and returns x. `hidden` None
    changes nothing. No other code may need the old values of x."""
    return x if hidden is None else x.masked_fill_(hidden, 0)
