"""The language model for training: the server's Llama with composed embedding rows.

Some attention heads can be guided along the text. The export writes the rows as a plain table.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glm_tts_api.model.llm import Llama, LlmConfig, rope_table, rotate
from glm_tts_api.settings import BUNDLED_MODEL

SCALE = 16.0  # rows are stored divided by this, since Adam's steps have one size for all weights
TEMPERATURE = 0.45  # of the shipped LLM: export.py folds it into the last norm, restart.py takes it out
_FIRST_NORM = 0.15
_DROPOUT = 0.1  # of what a layer adds, in training
_GUIDED = (1, 3)  # layers whose first head is trained to attend to the spoken text id


def llm_config() -> LlmConfig:
    """Returns the sizes of the bundled model's LLM."""
    return LlmConfig.from_json(BUNDLED_MODEL / "llm" / "config.json")


class TrainingLlama(nn.Module):
    """The language model. `factors` [n_text, f] composes the embedding rows of the first n_text ids.

    The ids after these (the speech codes) have plain rows. The first head of each layer in `guided` is
    guided.
    """

    def __init__(self, config: LlmConfig, factors: Tensor, *, guided: Sequence[int] = _GUIDED) -> None:
        super().__init__()
        self.config = config
        self._guided = guided
        self.register_buffer("factors", factors.bfloat16(), persistent=False)
        self.factors: Tensor
        self.rows = nn.Embedding(config.vocab_size, config.hidden_size)
        self.factor_rows = nn.Embedding(factors.shape[1], config.hidden_size)
        for table in (self.rows, self.factor_rows):
            nn.init.normal_(table.weight, std=0.02)
        trunk = Llama(config).model
        self.layers: Any = trunk.layers
        self.norm = trunk.norm
        nn.init.constant_(self.norm.weight, _FIRST_NORM)
        for name, weight in trunk.layers.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                nn.init.zeros_(weight)

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
        x = F.embedding(ids, table)
        cos, sin = (part.to(dtype) for part in rope_table(self.config, ids.shape[1]))
        guided = []
        for i, layer in enumerate(self.layers):
            attention, before = layer.self_attn, layer.input_layernorm(x)
            q, k, v = (
                projection(before).unflatten(-1, (-1, self.config.head_dim)).transpose(1, 2)
                for projection in (attention.q_proj, attention.k_proj, attention.v_proj)
            )
            q, k = rotate(q, cos, sin), rotate(k, cos, sin)
            if i in self._guided:
                guided.append((q[:, 0], k[:, 0]))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self._dropped(attention.o_proj(y.transpose(1, 2).flatten(-2)))
            x = x + self._dropped(layer.mlp(layer.post_attention_layernorm(x)))
        return self.norm(x).to(dtype), guided

    def _dropped(self, x: Tensor) -> Tensor:
        return F.dropout(x, _DROPOUT, self.training)
