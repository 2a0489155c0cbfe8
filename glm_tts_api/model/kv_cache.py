"""The LLM's key/value cache, allocated once, with a slot for each decode row."""

from __future__ import annotations

import math
import mmap
from contextlib import suppress

import torch
from torch import Tensor

from glm_tts_api.model.llm import LlmConfig
from glm_tts_api.model.llm_config import Head


class KVCache:
    """Holds the keys and values of all slots: `keys` and `values` are [layer, slot, kv_head, position,
    head_dim].

    The cache does not know which positions of a slot are valid; its callers keep the lengths. If a head is
    `followed`, decode steps write this head's queries to `queries`, [slot, position, head_dim], and
    `group_size` query heads share a KV head. If `of_prefill` is set, a prefill adds the queries of each layer
    to it, [heads, n, head_dim].
    """

    def __init__(
        self,
        config: LlmConfig,
        *,
        slots: int,
        slot_length: int,
        dtype: torch.dtype,
        device: torch.device | str,
        followed: Head | None = None,
    ) -> None:
        if slot_length > config.max_position_embeddings:
            raise ValueError(f"a slot of {slot_length} exceeds {config.max_position_embeddings} positions")
        self.slots = slots
        self.slot_length = slot_length
        self.followed = followed
        self.queries = torch.zeros(
            slots, slot_length if followed else 0, config.head_dim, dtype=dtype, device=device
        )
        self.of_prefill: list[Tensor] | None = None
        self.group_size = config.group_size if followed else 1
        shape = (config.num_hidden_layers, slots, config.num_key_value_heads, slot_length, config.head_dim)
        on_cpu = torch.device(device).type == "cpu"
        n_bytes = math.prod(shape) * dtype.itemsize
        self._memory = [_small_pages(n_bytes) for _ in range(2)] if on_cpu else []
        self.keys, self.values = (
            [torch.frombuffer(memory, dtype=dtype).view(*shape) for memory in self._memory]
            if on_cpu
            else [torch.zeros(shape, dtype=dtype, device=device) for _ in range(2)]
        )
        # Views [1, kv_head, position, head_dim] of each slot, made once: indexing costs time in each step.
        self.rows = [
            [
                (self.keys[layer, slot : slot + 1], self.values[layer, slot : slot + 1])
                for slot in range(slots)
            ]
            for layer in range(config.num_hidden_layers)
        ]

    def read(self, slot: int, n: int) -> tuple[Tensor, Tensor]:
        """Returns a copy of the first `n` positions of a slot: keys and values, [layer, kv_head, n, head_dim]
        each."""
        return self.keys[:, slot, :, :n].clone(), self.values[:, slot, :, :n].clone()

    def write(self, slot: int, copied: tuple[Tensor, Tensor]) -> None:
        """Writes keys and values that `read` has returned to the first positions of a slot."""
        for cached, positions in zip((self.keys, self.values), copied, strict=True):
            cached[:, slot, :, : positions.shape[2]] = positions

    def clear(self, slot: int) -> None:
        """Sets a slot to zeros. Slots that may hold NaN or infinite numbers need this: a mask does not keep
        such numbers out of sums."""
        self.keys[:, slot].zero_()
        self.values[:, slot].zero_()

    def let_go(self, slot: int) -> None:
        """Gives the memory of an unused slot back to the system; the slot's keys and values are lost. Does
        nothing on a GPU. Without this method, each slot would keep the memory of the longest sequence that it
        ever had."""
        n_bytes = self.keys[0, 0].nbytes
        for memory in self._memory:
            for layer in range(len(self.keys)):
                begin = (layer * self.slots + slot) * n_bytes
                first, end = -(-begin // mmap.PAGESIZE), (begin + n_bytes) // mmap.PAGESIZE  # whole pages
                if first < end:
                    memory.madvise(mmap.MADV_DONTNEED, first * mmap.PAGESIZE, (end - first) * mmap.PAGESIZE)

    @staticmethod
    def bytes_per_position(config: LlmConfig, dtype: torch.dtype) -> int:
        """Returns the bytes that one position of one slot takes, with the query of a followed head."""
        per_layer = 2 * config.num_key_value_heads * config.head_dim
        return (config.num_hidden_layers * per_layer + config.head_dim) * dtype.itemsize


def _small_pages(n_bytes: int) -> mmap.mmap:
    """Returns `n_bytes` bytes of zeros in small memory pages. A page takes memory only after it was written.
    A large page would hold all positions of a head, most of which are never used."""
    memory = mmap.mmap(-1, n_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):  # on a system that has small pages only
        memory.madvise(mmap.MADV_NOHUGEPAGE)
    return memory
