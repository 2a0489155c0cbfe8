"""Which frames a frame may attend to while a token list is spoken block by block (docs/model.md 8.3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from glm_tts_api.model.transfer import to_device

DEFAULT_BLOCK_PATTERN = (25, 50, 200)  # tokens
SHORT_BLOCK_FRAMES = 172


def block_frames(tokens: int) -> int:
    """Frames of a block of `tokens`. The constants are not the model's rates; it was trained with them."""
    return int(tokens / 12.5 * 22050 / 256)


def visible_columns(pattern: Sequence[int], n_frames: int) -> Tensor:
    """Number of leading columns that each row sees, [n_frames] int64.

    `pattern` holds block sizes in frames; the last one repeats. A row sees its own block and a look-ahead
    that shrinks towards the block's end: half a short block, two thirds of a long one.
    """
    visible = torch.empty(n_frames, dtype=torch.int64)
    start, index = 0, 0
    while start < n_frames:
        size = pattern[min(index, len(pattern) - 1)]
        end = start + size
        look_ahead = int(size / 2) if size <= SHORT_BLOCK_FRAMES else int(size / 1.5)
        rows = torch.arange(start, min(end, n_frames))
        beyond = (look_ahead - (end - 1 - rows)).clamp_min(0)
        visible[start:end] = (end + beyond).clamp_max(n_frames)
        start, index = end, index + 1
    return visible


def padding_mask(lengths: Sequence[int], device: torch.device) -> Tensor | None:
    """True on real frames, [B, T] bool; None when all rows have the same length."""
    if len(set(lengths)) == 1:
        return None
    frames = torch.arange(max(lengths), device=device)
    return frames[None, :] < to_device(torch.tensor(lengths), device)[:, None]


def zero_padding(x: Tensor, padding: Tensor | None) -> Tensor:
    """x [B, T, C], zero where it is padding [B, T]."""
    return x if padding is None else x * padding[:, :, None].to(x.dtype)


def attention_mask(padding: Tensor | None, visible: Tensor | None) -> Tensor | None:
    """Joins padding [B, T] and visible columns [B, T] into [B, 1, T or 1, T] bool; None means all of it."""
    mask = None if padding is None else padding[:, None, None, :]
    if visible is None:
        return mask
    columns = torch.arange(visible.shape[1], device=visible.device)
    causal = (columns < visible[:, :, None])[:, None]
    return causal if mask is None else causal & mask
