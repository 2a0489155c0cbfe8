"""Random noise that depends on its place: each part of an utterance gets the same noise as in the whole
utterance.

Frames are drawn in blocks. Each block has its own generator, whose seed is computed from the utterance's seed
and the block's number.
"""

from __future__ import annotations

import torch
from torch import Tensor

BLOCK_FRAMES = 64
_BLOCK_STRIDE = 0xBF58476D1CE4E5B9  # odd, so that no two blocks of an utterance share a seed
_SEEDS = 2**64


def placed_noise(
    seed: int, start: int, end: int, *, per_frame: tuple[int, ...], device: torch.device | str = "cpu"
) -> Tensor:
    """Returns random numbers with a standard normal distribution for the frames from `start` up to `end` of
    an utterance, as [end - start, *per_frame] float32. The numbers of a frame depend only on `seed` and the
    frame's place in the utterance, not on `start` and `end`."""
    first, last = start // BLOCK_FRAMES, -(-end // BLOCK_FRAMES)
    blocks = [torch.empty(0, *per_frame, device=device)]
    for index in range(first, last):
        generator = torch.Generator(device).manual_seed((seed + index * _BLOCK_STRIDE) % _SEEDS)
        blocks.append(torch.randn(BLOCK_FRAMES, *per_frame, generator=generator, device=device))
    offset = first * BLOCK_FRAMES
    return torch.cat(blocks)[start - offset : end - offset]
