"""The speech tokenizer for training: the official encoder's structure and key names, and a trained codebook.

The server runs glm_tts_api.model.speech_tokenizer instead. In this module positions may start anywhere, so
that crops of utterances train every position. The codebook follows the encoder by moving averages.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class EncoderConfig:
    """The sizes of Whisper base, its first four layers."""

    dim: int = 512
    heads: int = 8
    ffn_dim: int = 2048
    layers: int = 4
    n_codes: int = 2048  # code 0 is never produced: the flow uses token 0 as filler
    block_size: int = 200
    n_mel: int = 80
    max_positions: int = 1500


class _Attention(nn.Module):
    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.k_proj = nn.Linear(dim, dim, bias=False)
        self.v_proj = nn.Linear(dim, dim)
        self.q_proj = nn.Linear(dim, dim)
        self.out_proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        batch, length, dim = x.shape
        q, k, v = (
            projection(x).view(batch, length, self.heads, -1).transpose(1, 2)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        out: Tensor = self.out_proj(y.transpose(1, 2).reshape(batch, length, dim))
        return out


class _Layer(nn.Module):
    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.self_attn = _Attention(config.dim, config.heads)
        self.self_attn_layer_norm = nn.LayerNorm(config.dim)
        self.fc1 = nn.Linear(config.dim, config.ffn_dim)
        self.fc2 = nn.Linear(config.ffn_dim, config.dim)
        self.final_layer_norm = nn.LayerNorm(config.dim)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = x + self.self_attn(self.self_attn_layer_norm(x), mask)
        out: Tensor = x + self.fc2(F.gelu(self.fc1(self.final_layer_norm(x))))
        return out


def sinusoids(length: int, dim: int) -> Tensor:
    """Returns Whisper's fixed position embeddings [length, dim]: sines, then cosines."""
    half = dim // 2
    frequency = torch.exp(-math.log(10000) * torch.arange(half) / (half - 1))
    angle = torch.arange(length)[:, None] * frequency
    return torch.cat([angle.sin(), angle.cos()], 1)


class SpeechEncoder(nn.Module):
    """Maps Whisper features [B, 4n, 80] to vectors [B, n, dim], 25 a second, and vectors to codes."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.conv1 = nn.Conv1d(config.n_mel, config.dim, 3, padding=1)
        self.conv2 = nn.Conv1d(config.dim, config.dim, 3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(config.max_positions, config.dim)
        self.embed_positions.weight.data.copy_(sinusoids(config.max_positions, config.dim))
        self.embed_positions.weight.requires_grad_(False)
        self.layers = nn.ModuleList(_Layer(config) for _ in range(config.layers))
        self.register_buffer("codebook", torch.randn(config.n_codes, config.dim))
        self.register_buffer("ema_count", torch.ones(config.n_codes))
        self.register_buffer("ema_weight", torch.randn(config.n_codes, config.dim))
        self.codebook: Tensor
        self.ema_count: Tensor
        self.ema_weight: Tensor

    def forward(self, features: Tensor, *, lengths: Tensor | None = None, offset: int = 0) -> Tensor:
        """Returns the vectors [B, n, dim] of Whisper features [B, 4n, 80].

        `lengths` [B] is the number of valid tokens of each row, and None means all. `offset` is the position
        of the first frame, in frames of 20 ms.
        """
        x = F.gelu(self.conv1(features.transpose(1, 2)))
        x = F.gelu(self.conv2(x)).transpose(1, 2)
        length = x.shape[1]
        x = x + self.embed_positions.weight[offset : offset + length]
        position = torch.arange(offset, offset + length)
        block_end = (position // self.config.block_size + 1) * self.config.block_size
        mask = None if bool(block_end[0] >= offset + length) else position[None] < block_end[:, None]
        if lengths is not None:
            valid = torch.arange(length)[None] < 2 * lengths[:, None]
            mask = valid[:, None, None] if mask is None else mask[None, None] & valid[:, None, None]
        for layer in self.layers:
            x = layer(x, mask)
        return F.avg_pool1d(x.float().transpose(1, 2), 2).transpose(1, 2)

    def codes(self, hidden: Tensor) -> Tensor:
        """Returns the index of the nearest codebook row for each vector. Row 0 is never chosen."""
        flat, book = hidden.reshape(-1, hidden.shape[-1]), self.codebook[1:]
        distance = torch.addmm(book.square().sum(1), flat, book.T, alpha=-2)
        return (distance.argmin(1) + 1).view(hidden.shape[:-1])

    @torch.no_grad()
    def update_codebook(self, hidden: Tensor, codes: Tensor, *, decay: float = 0.985) -> None:
        """Updates each codebook row to the moving average of the vectors with this code.

        A row that is hardly used any more restarts at a random vector.
        """
        hidden, codes = hidden.reshape(-1, hidden.shape[-1]), codes.reshape(-1)
        count = torch.bincount(codes, minlength=self.config.n_codes).float()
        total = torch.zeros_like(self.ema_weight).index_add_(0, codes, hidden)
        self.ema_count.mul_(decay).add_((1 - decay) * count)
        self.ema_weight.mul_(decay).add_((1 - decay) * total)
        idle = (self.ema_count < 0.05).nonzero()[:, 0]
        idle = idle[idle > 0]
        self.ema_weight[idle] = hidden[torch.randint(len(hidden), (len(idle),))]
        self.ema_count[idle] = 1.0
        self.codebook.copy_(self.ema_weight / self.ema_count[:, None].clamp(min=1e-5))

    @torch.no_grad()
    def start_codebook(self, hidden: Tensor) -> None:
        """Initialises the codebook by k-means on vectors [N, dim]."""
        n_codes = self.config.n_codes
        self.codebook.copy_(hidden[torch.randperm(len(hidden))[:n_codes]])
        for _ in range(8):
            codes = self.codes(hidden)
            count = torch.bincount(codes, minlength=n_codes).float()[:, None]
            mean = torch.zeros_like(self.codebook).index_add_(0, codes, hidden) / count.clamp(min=1)
            self.codebook.copy_(torch.where(count > 0, mean, hidden[torch.randint(len(hidden), (n_codes,))]))
        self.ema_weight.copy_(self.codebook)
        self.ema_count.fill_(1.0)
