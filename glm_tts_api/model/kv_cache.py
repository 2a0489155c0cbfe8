"""A static key/value cache with a slot for each decode row."""

from __future__ import annotations

import torch
from torch import Tensor

from glm_tts_api.model.llm import LlmConfig


class KVCache:
    """`keys` and `values` [layer, slot, kv_head, position, head_dim], allocated once.

    Which positions of a slot are valid is the caller's knowledge.
    """

    def __init__(
        self,
        config: LlmConfig,
        *,
        slots: int,
        slot_length: int,
        dtype: torch.dtype,
        device: torch.device | str,
    ) -> None:
        if slot_length > config.max_position_embeddings:
            raise ValueError(f"a slot of {slot_length} exceeds {config.max_position_embeddings} positions")
        self.slots = slots
        self.slot_length = slot_length
        shape = (config.num_hidden_layers, slots, config.num_key_value_heads, slot_length, config.head_dim)
        # On the CPU a row reads its own positions alone, so memory that nobody has used need not be touched.
        allocate = torch.empty if torch.device(device).type == "cpu" else torch.zeros
        self.keys = allocate(shape, dtype=dtype, device=device)
        self.values = allocate(shape, dtype=dtype, device=device)
        # Views [1, kv_head, position, head_dim] of each slot, made once: indexing costs time at every step.
        self.rows = [
            [
                (self.keys[layer, slot : slot + 1], self.values[layer, slot : slot + 1])
                for slot in range(slots)
            ]
            for layer in range(config.num_hidden_layers)
        ]

    def read(self, slot: int, n: int) -> tuple[Tensor, Tensor]:
        """A copy of the first n positions of a slot: keys and values [layer, kv_head, n, head_dim]."""
        return self.keys[:, slot, :, :n].clone(), self.values[:, slot, :, :n].clone()

    def write(self, slot: int, copied: tuple[Tensor, Tensor]) -> None:
        """Puts what `read` gave at the beginning of a slot."""
        for cached, positions in zip((self.keys, self.values), copied, strict=True):
            cached[:, slot, :, : positions.shape[2]] = positions

    def clear(self, slot: int) -> None:
        """Zeroes a slot that may hold numbers that are not finite: a mask would not keep them out of the
        sums."""
        self.keys[:, slot].zero_()
        self.values[:, slot].zero_()

    @staticmethod
    def bytes_per_position(config: LlmConfig, dtype: torch.dtype) -> int:
        """Memory that one position of one slot takes."""
        per_layer = 2 * config.num_key_value_heads * config.head_dim
        return config.num_hidden_layers * per_layer * dtype.itemsize
