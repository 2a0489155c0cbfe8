"""The language model for training: Llama with the official key names, and composed embedding rows.

Some attention heads can be guided along the text.

The server runs glm_tts_api.model.llm with the exported plain table instead.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SCALE = 16.0  # rows are stored divided by this, since Adam's steps have one size for all weights
TEMPERATURE = 0.45  # of the shipped LLM: export.py folds it into the last norm, restart.py takes it out


@dataclass(frozen=True)
class LlmSize:
    dim: int = 256
    layers: int = 6
    heads: int = 4
    ffn_dim: int = 704
    rope_theta: float = 10000.0
    max_positions: int = 4096
    dropout: float = 0.1  # of what a layer adds, in training
    guided: tuple[int, ...] = (1, 3)  # layers whose first head is trained to attend to the spoken text id


class _Norm(nn.Module):
    def __init__(self, dim: int, start: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((dim,), start))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weight.to(x.dtype), 1e-5)


class _Attention(nn.Module):
    def __init__(self, size: LlmSize) -> None:
        super().__init__()
        self.heads = size.heads
        self.q_proj = nn.Linear(size.dim, size.dim, bias=False)
        self.k_proj = nn.Linear(size.dim, size.dim, bias=False)
        self.v_proj = nn.Linear(size.dim, size.dim, bias=False)
        self.o_proj = nn.Linear(size.dim, size.dim, bias=False)
        nn.init.zeros_(self.o_proj.weight)

    def project(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        batch, length, _ = x.shape
        q, k, v = (
            projection(x).view(batch, length, self.heads, -1).transpose(1, 2)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        return _rotate(q, cos, sin), _rotate(k, cos, sin), v


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


class _Mlp(nn.Module):
    def __init__(self, size: LlmSize) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(size.dim, size.ffn_dim, bias=False)
        self.up_proj = nn.Linear(size.dim, size.ffn_dim, bias=False)
        self.down_proj = nn.Linear(size.ffn_dim, size.dim, bias=False)
        nn.init.zeros_(self.down_proj.weight)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class _Layer(nn.Module):
    def __init__(self, size: LlmSize) -> None:
        super().__init__()
        self.input_layernorm = _Norm(size.dim)
        self.self_attn = _Attention(size)
        self.post_attention_layernorm = _Norm(size.dim)
        self.mlp = _Mlp(size)


class TrainingLlama(nn.Module):
    """The language model. `factors` [n_text, f] composes the embedding rows of the first n_text ids.

    The ids after these (the speech codes) have plain rows.
    """

    def __init__(self, size: LlmSize, *, n_ids: int, factors: Tensor) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("factors", factors.bfloat16(), persistent=False)
        self.factors: Tensor
        self.rows = nn.Embedding(n_ids, size.dim)
        self.factor_rows = nn.Embedding(factors.shape[1], size.dim)
        for table in (self.rows, self.factor_rows):
            nn.init.normal_(table.weight, std=0.02)
        self.layers = nn.ModuleList(_Layer(size) for _ in range(size.layers))
        self.norm = _Norm(size.dim, 0.15)
        head_dim = size.dim // size.heads
        frequency = size.rope_theta ** (-torch.arange(0, head_dim, 2) / head_dim)
        angle = torch.arange(size.max_positions)[:, None] * frequency.repeat(2)
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)
        self.cos: Tensor
        self.sin: Tensor

    def table(self) -> Tensor:
        """Returns the embedding rows, float32 [n_ids, dim], which are also the rows of the output head."""
        composed = (self.factors @ self.factor_rows.weight.bfloat16()).float()
        n_text = len(self.factors)
        text = 0.5 * self.rows.weight[:n_text] + composed
        return torch.cat([text, self.rows.weight[n_text:]]) * SCALE

    def forward(self, ids: Tensor, table: Tensor) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """Returns the hidden states [B, T, dim], and (q, k), each [B, T, head_dim], of each guided head.

        `ids` is [B, T], and `table` comes from `table()`.
        """
        dtype = torch.bfloat16 if torch.is_autocast_enabled("cpu") else torch.float32
        x = F.embedding(ids, table).to(dtype)
        length = ids.shape[1]
        cos, sin = self.cos[:length].to(dtype), self.sin[:length].to(dtype)
        guided = []
        for i, layer in enumerate(self.layers):
            assert isinstance(layer, _Layer)
            attention = layer.self_attn
            q, k, v = attention.project(layer.input_layernorm(x), cos, sin)
            if i in self.size.guided:
                guided.append((q[:, 0], k[:, 0]))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self._dropped(attention.o_proj(y.transpose(1, 2).reshape(x.shape)))
            x = x + self._dropped(layer.mlp(layer.post_attention_layernorm(x)))
        return self.norm(x), guided

    def _dropped(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.size.dropout, self.training)
