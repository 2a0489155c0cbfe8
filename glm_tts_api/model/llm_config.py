"""The sizes of the LLM, which are read from llm/config.json, and the name of a head. Knows no tensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple


class Head(NamedTuple):
    """An attention head of the LLM: its layer, and its number among the layer's query heads. `lead` is by how
    many speech tokens the head looks ahead of the sound."""

    layer: int
    number: int
    lead: float = 0.0


@dataclass(frozen=True, slots=True)
class LlmConfig:
    """The sizes of the LLM, named as in Hugging Face's config.json. The defaults are the official sizes.

    `longest_segment`, a key that the official file does not have, is about the largest weight of a text
    segment that the LLM speaks well (speech_text/cut/split.py). 60 is the published weight.
    """

    vocab_size: int = 98304
    hidden_size: int = 2048
    intermediate_size: int = 6144
    num_hidden_layers: int = 28
    num_attention_heads: int = 16
    num_key_value_heads: int = 4
    head_dim: int = 128
    max_position_embeddings: int = 8192
    rms_norm_eps: float = 1e-5
    rope_theta: float = 10000.0
    tie_word_embeddings: bool = True
    longest_segment: float = 60.0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name != "tie_word_embeddings" and not value > 0:
                raise ValueError(f"llm: {item.name} must be positive, got {value!r}")
        if not 12 <= self.longest_segment <= 60:
            raise ValueError(f"llm: longest_segment must be from 12 to 60, got {self.longest_segment!r}")
        if self.num_attention_heads % self.num_key_value_heads:
            raise ValueError("llm: num_attention_heads must be a multiple of num_key_value_heads")
        if self.head_dim % 2:
            raise ValueError("llm: head_dim must be even")

    @property
    def group_size(self) -> int:
        """The number of query heads that share one key/value head."""
        return self.num_attention_heads // self.num_key_value_heads

    @classmethod
    def from_json(cls, path: Path) -> LlmConfig:
        return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> LlmConfig:
        """Makes the config from the content of a config.json. Raises ValueError for a kind of network that is
        not supported, and for impossible sizes."""
        if raw.get("hidden_act", "silu") != "silu" or raw.get("attention_bias") or raw.get("mlp_bias"):
            raise ValueError("llm: only SiLU without biases is supported")
        if (raw.get("rope_scaling") or {}).get("rope_type", "default") != "default":
            raise ValueError("llm: scaled rotary positions are not supported")
        known = {item.name for item in fields(cls)}
        values = {name: value for name, value in raw.items() if name in known and value is not None}
        rope = raw.get("rope_parameters") or {}
        if "rope_theta" in rope:
            values["rope_theta"] = rope["rope_theta"]
        if "head_dim" not in values and {"hidden_size", "num_attention_heads"} <= values.keys():
            values["head_dim"] = values["hidden_size"] // values["num_attention_heads"]
        return cls(**values)
