"""Block-causal attention and its state cache: how the published code streams (docs/model.md 8.3).

The server streams by windows (docs/model.md 8.4). The golden vectors need this, and the training of the mini,
whose flow shall hear both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from glm_tts_api.model.flow import FlowInput, FlowMatching, FlowSampler

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


def block_causal_mask(pattern: Sequence[int], n_frames: int) -> Tensor:
    """`pattern` in tokens -> [n_frames, n_frames] bool, true where a row sees a column."""
    visible = visible_columns([block_frames(tokens) for tokens in pattern], n_frames)
    return torch.arange(n_frames) < visible[:, None]


@dataclass(frozen=True, slots=True, eq=False)
class StateCache:
    """The states of an earlier call, [steps, T, 80]; the first `length` frames of each are repeated."""

    states: Tensor
    length: int


class BlockCausalSampler(FlowSampler):
    """Samples one segment with block-causal attention; continues `cache`, the states of a shorter call."""

    def __init__(
        self,
        model: FlowMatching,
        item: FlowInput,
        pattern: Sequence[int],
        *,
        steps: int,
        cache: StateCache | None = None,
    ) -> None:
        super().__init__(model, [item], steps=steps)
        self._mask = block_causal_mask(pattern, self.state.shape[1])[None, None]
        self._cache = cache
        self._states: list[Tensor] = []

    @torch.inference_mode()
    def step(self) -> None:
        if self._cache is not None:
            repeated = self._cache.states[self.step_index, : self._cache.length]
            self.state[0, : len(repeated)] = repeated
        self._states.append(self.state[0])
        super().step()

    def cache(self, length: int) -> StateCache:
        """The states of this call for the next, longer one."""
        return StateCache(torch.stack(self._states), length)
