"""The speech LLM: a Llama with Hugging Face's parameter names (docs/model.md 4). Knows token ids, no text.

`Llama` defines the network, for training and for the logits of whole sequences. `llm_runner.LlmRunner` runs
the same network with packed weights and a KV cache, to decode many rows.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glm_tts_api.model.embedding import Embedding
from glm_tts_api.model.llm_config import LlmConfig as LlmConfig


def rope_table(config: LlmConfig, n_positions: int) -> tuple[Tensor, Tensor]:
    """Returns the cosine and sine tables of the positions 0 to `n_positions` - 1, [n_positions, head_dim]
    float32 each. Both halves of a row have the same frequencies.

    The first half of the sine table is negated, so that a rotation is x * cos + swap_halves(x) * sin.
    """
    exponents = torch.arange(0, config.head_dim, 2, dtype=torch.float32) / config.head_dim
    frequencies = 1.0 / config.rope_theta**exponents
    angles = torch.outer(torch.arange(n_positions, dtype=torch.float32), frequencies)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat((cos, cos), 1), torch.cat((-sin, sin), 1)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotates x [..., head_dim] by its positions (rotary position embedding). `cos` and `sin` are the rows of
    `rope_table` for the positions."""
    return x * cos + x.roll(x.shape[-1] // 2, -1) * sin


class _RmsNorm(nn.Module):
    def __init__(self, config: LlmConfig) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(config.hidden_size))
        self.eps = config.rms_norm_eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.weight.shape, self.weight, self.eps)


class _Attention(nn.Module):
    def __init__(self, config: LlmConfig) -> None:
        super().__init__()
        self.head_dim = config.head_dim
        width, dim = config.hidden_size, config.head_dim
        self.q_proj = nn.Linear(width, config.num_attention_heads * dim, bias=False)
        self.k_proj = nn.Linear(width, config.num_key_value_heads * dim, bias=False)
        self.v_proj = nn.Linear(width, config.num_key_value_heads * dim, bias=False)
        self.o_proj = nn.Linear(config.num_attention_heads * dim, width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        q, k, v = (
            proj(x).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)
            for proj in (self.q_proj, self.k_proj, self.v_proj)
        )  # [B, heads, T, head_dim]
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=q.shape[1] != k.shape[1])
        out: Tensor = self.o_proj(y.transpose(1, 2).flatten(-2))
        return out  # [B, T, D]


class _Mlp(nn.Module):
    def __init__(self, config: LlmConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class _Layer(nn.Module):
    def __init__(self, config: LlmConfig) -> None:
        super().__init__()
        self.input_layernorm = _RmsNorm(config)
        self.self_attn = _Attention(config)
        self.post_attention_layernorm = _RmsNorm(config)
        self.mlp = _Mlp(config)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        out: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return out


class _Trunk(nn.Module):
    def __init__(self, config: LlmConfig) -> None:
        super().__init__()
        self.embed_tokens = Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(_Layer(config) for _ in range(config.num_hidden_layers))
        self.norm = _RmsNorm(config)


class Llama(nn.Module):
    """The LLM as a trainable network without a KV cache. The keys of its state dict are Hugging Face's. A
    tied head is not stored."""

    def __init__(self, config: LlmConfig) -> None:
        super().__init__()
        self.config = config
        self.model = _Trunk(config)
        if not config.tie_word_embeddings:
            self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)

    @property
    def head_weight(self) -> Tensor:
        """The weight of the output head, [vocab_size, hidden_size]. With a tied head it is the embedding."""
        if self.config.tie_word_embeddings:
            return self.model.embed_tokens.weight
        return self.lm_head.weight

    def forward(self, ids: Tensor) -> Tensor:
        """Returns the hidden states after the final norm, [B, T, D], of the token ids [B, T]. Each row begins
        at position 0."""
        x = self.model.embed_tokens(ids)
        cos, sin = (table.to(x) for table in rope_table(self.config, ids.shape[1]))
        for layer in self.model.layers:
            x = layer(x, cos, sin)
        out: Tensor = self.model.norm(x)
        return out

    def logits(self, hidden: Tensor) -> Tensor:
        """Returns the logits [..., vocab_size] of the hidden states [..., D]."""
        return F.linear(hidden, self.head_weight)
