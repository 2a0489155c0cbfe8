"""The cache of keys and values: what a slot may hold, and what it gives back."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm import LlmConfig

CONFIG = LlmConfig(
    vocab_size=16,
    hidden_size=8,
    intermediate_size=8,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=1,
    head_dim=4,
    max_position_embeddings=64,
)


def cache(slot_length: int) -> KVCache:
    return KVCache(CONFIG, slots=3, slot_length=slot_length, dtype=torch.float32, device="cpu")


def test_a_slot_may_be_as_long_as_the_model_has_positions_and_no_longer() -> None:
    assert cache(64).slot_length == 64
    with pytest.raises(ValueError, match="65 exceeds 64"):
        cache(65)


def kilobytes_held(tensor: Tensor) -> int:
    """Of the mapping in which a tensor begins."""
    for mapping in re.split(r"\n(?=[0-9a-f]+-)", Path("/proc/self/smaps").read_text(encoding="ascii")):
        begin, end = (int(place, 16) for place in mapping.split(" ", 1)[0].split("-"))
        if begin <= tensor.data_ptr() < end:
            return int(re.search(r"^Rss: +(\d+)", mapping, re.MULTILINE)[1])  # type: ignore[index]
    raise AssertionError("no mapping")


def long_cache(slots: int) -> KVCache:
    """A cache whose slots are many pages of memory."""
    config = replace(CONFIG, max_position_embeddings=8192)
    return KVCache(config, slots=slots, slot_length=8192, dtype=torch.float32, device="cpu")


def test_positions_that_nobody_uses_take_no_memory() -> None:
    """Where the system gives large pages, one would hold all positions of several heads."""
    kept = long_cache(slots=20)
    before = kilobytes_held(kept.keys)
    kept.keys[:, 3, :, :2] = 1.0
    assert math.prod(kept.keys.shape) * 4 > 2**22
    assert kilobytes_held(kept.keys) - before <= 4 * len(kept.keys)


def test_a_slot_that_is_let_go_takes_no_memory_and_the_others_keep_what_they_hold() -> None:
    kept = long_cache(slots=3)
    kept.keys.fill_(1.0)
    kept.values.fill_(1.0)
    before = kilobytes_held(kept.keys)
    kept.let_go(1)
    assert before - kilobytes_held(kept.keys) >= kept.keys[:, 1].nbytes / 1024
    assert float(kept.keys[:, [0, 2]].min()) == float(kept.values[:, [0, 2]].min()) == 1.0
    kept.write(1, kept.read(0, 8192))
    assert float(kept.values[:, 1].min()) == 1.0
