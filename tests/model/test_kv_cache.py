"""The cache of keys and values: what a slot may hold, and what it gives back."""

from __future__ import annotations

import pytest
import torch

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


def test_what_is_read_from_a_slot_can_be_written_to_another() -> None:
    kept = cache(8)
    kept.clear(0)
    kept.keys[:, 0, :, :5] = kept.values[:, 0, :, :5] = torch.arange(5.0)[:, None]
    kept.write(2, kept.read(0, 5))
    assert torch.equal(kept.keys[:, 2, :, :5], kept.keys[:, 0, :, :5])
    kept.clear(0)
    assert float(kept.keys[:, 0].abs().max()) == 0
    assert float(kept.keys[:, 2, :, :5].max()) == 4  # a copy
