"""Block-causal attention of the flow and its state cache: how the published code streams (docs/model.md 8.3).

The server itself streams by windows (docs/model.md 8.4). This module serves the golden files and the training
of the mini model, whose flow is trained with block-causal and with full attention.
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
    """Returns the number of mel frames in a block of `tokens` tokens.

    The rates in the formula differ from the model's own rates, but the published model was trained with them.
    """
    return int(tokens / 12.5 * 22050 / 256)


def visible_columns(pattern: Sequence[int], n_frames: int) -> Tensor:
    """Returns for each row (frame) how many leading columns it attends to, [n_frames] int64.

    `pattern` holds block sizes in frames; the last size repeats. A row sees all frames up to the end of its
    own block, and at least a look-ahead of frames after the row itself. The look-ahead is half the block for
    a block of at most SHORT_BLOCK_FRAMES, and two thirds of the block for a longer block.
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
    """Returns the attention mask, [n_frames, n_frames] bool, which is true where a row sees a column.

    `pattern` holds block sizes in tokens; the last size repeats.
    """
    visible = visible_columns([block_frames(tokens) for tokens in pattern], n_frames)
    return torch.arange(n_frames) < visible[:, None]


@dataclass(frozen=True, slots=True, eq=False)
class StateCache:
    """The flow's states in an earlier call, before each of its steps.

    `states` is [steps, T, 80]. The next call takes over the first `length` frames of each state.
    """

    states: Tensor
    length: int


class BlockCausalSampler(FlowSampler):
    """Samples the mel of one segment with block-causal attention.

    `pattern` holds block sizes in tokens. With `cache`, each step begins with the states that an earlier call
    had for a shorter beginning of the same segment.
    """

    def __init__(
        self,
        model: FlowMatching,
        item: FlowInput,
        pattern: Sequence[int],
        *,
        steps: int,
        cache: StateCache | None = None,
    ) -> None:
        super().__init__(model, item, steps=steps)
        self._mask = block_causal_mask(pattern, self.state.shape[1])[None, None]
        self._cache = cache
        self._states: list[Tensor] = []

    @torch.inference_mode()
    def step(self) -> bool:
        if self._cache is not None:
            repeated = self._cache.states[self.step_index, : self._cache.length]
            self.state[0, : len(repeated)] = repeated
        self._states.append(self.state[0])
        return super().step()

    def cache(self, length: int) -> StateCache:
        """Returns the states of this call, of which the next, longer call takes over the first `length`
        frames."""
        return StateCache(torch.stack(self._states), length)
