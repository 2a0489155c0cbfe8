"""The speech tokenizer for training: the server's encoder, whose codebook follows it by moving averages.

In this module positions may start anywhere, so that crops of utterances train every position.
"""

import json
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.model.speech_tokenizer import SpeechTokenizer, SpeechTokenizerConfig
from glm_tts_api.settings import BUNDLED_MODEL

_FAR = 100.0  # the values of code 0, which is the nearest to no vector: the flow uses token 0 as filler


def encoder_config() -> SpeechTokenizerConfig:
    """Returns the sizes of the bundled model's encoder: those of Whisper base, its first four layers."""
    return SpeechTokenizerConfig.from_dict(
        json.loads((BUNDLED_MODEL / "speech_tokenizer" / "config.json").read_bytes())
    )


def sinusoids(length: int, dim: int) -> Tensor:
    """Returns Whisper's fixed position embeddings [length, dim]: sines, then cosines."""
    half = dim // 2
    frequency = torch.exp(-math.log(10000) * torch.arange(half) / (half - 1))
    angle = torch.arange(length)[:, None] * frequency
    return torch.cat([angle.sin(), angle.cos()], 1)


class SpeechEncoder(SpeechTokenizer):
    """Maps Whisper features [B, 4n, 80] to vectors [B, n, dim], 25 a second, and vectors to codes."""

    def __init__(self, config: SpeechTokenizerConfig) -> None:
        super().__init__(config)
        self.embed_positions.weight.data.copy_(sinusoids(config.max_source_positions, config.d_model))
        for table in (self.embed_positions, self.codebook):
            table.requires_grad_(False)
        self.register_buffer("ema_count", torch.ones(config.quantize_vocab_size))
        self.register_buffer("ema_weight", torch.randn(config.quantize_vocab_size, config.d_model))
        self.ema_count: Tensor
        self.ema_weight: Tensor
        self._take(self.codebook.weight.detach().clone())

    def forward(self, features: Tensor, *, lengths: Tensor | None = None, offset: int = 0) -> Tensor:
        """Returns the vectors [B, n, dim] of Whisper features [B, 4n, 80].

        `lengths` [B] is the number of valid tokens of each row, and None means all. `offset` is the position
        of the first frame, in frames of 20 ms.
        """
        x = F.gelu(self.conv1(features.transpose(1, 2)))
        x = F.gelu(self.conv2(x)).transpose(1, 2)
        length = x.shape[1]
        x = x + self.embed_positions.weight[offset : offset + length]
        block = torch.arange(offset, offset + length) // self.config.quantize_causal_block_size
        visible = (block <= block[:, None])[None, None]
        if lengths is not None:
            visible = visible & (torch.arange(length) < 2 * lengths[:, None])[:, None, None]
        for layer in self.layers:
            x = layer(x, visible)
        return F.avg_pool1d(x.float().transpose(1, 2), 2).transpose(1, 2)

    @torch.no_grad()
    def update_codebook(self, hidden: Tensor, codes: Tensor, *, decay: float = 0.985) -> None:
        """Updates each codebook row to the moving average of the vectors with this code.

        A row that is hardly used any more restarts at a random vector.
        """
        count, total = self._sums(hidden := hidden.reshape(-1, hidden.shape[-1]), codes.reshape(-1))
        self.ema_count.mul_(decay).add_((1 - decay) * count)
        self.ema_weight.mul_(decay).add_((1 - decay) * total)
        idle = (self.ema_count < 0.05).nonzero()[:, 0]
        self.ema_weight[idle] = hidden[torch.randint(len(hidden), (len(idle),))]
        self.ema_count[idle] = 1.0
        self._take(self.ema_weight / self.ema_count[:, None].clamp(min=1e-5))

    @torch.no_grad()
    def start_codebook(self, hidden: Tensor) -> None:
        """Initialises the codebook by k-means on vectors [N, dim]."""
        n_codes = self.config.quantize_vocab_size
        self._take(hidden[torch.randperm(len(hidden))[:n_codes]])
        for _ in range(8):
            count, total = self._sums(hidden, self.codes(hidden))
            others = hidden[torch.randint(len(hidden), (n_codes,))]
            self._take(torch.where(count[:, None] > 0, total / count[:, None].clamp(min=1), others))
        self.ema_weight.copy_(self.codebook.weight)
        self.ema_count.fill_(1.0)

    def _sums(self, hidden: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Returns for each code the number and the sum of the vectors [N, dim] that have it."""
        count = torch.bincount(codes, minlength=self.config.quantize_vocab_size).float()
        return count, torch.zeros_like(self.ema_weight).index_add_(0, codes, hidden)

    def _take(self, rows: Tensor) -> None:
        """Takes `rows` as the codebook, with code 0 far from every vector."""
        self.codebook.weight.copy_(rows)
        self.codebook.weight[0] = _FAR
