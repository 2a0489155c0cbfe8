"""Embeds the speech token of each frame together with its context: a table of vectors, positions, and
ConvNeXt V2 blocks (docs/model.md 8.1)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glm_tts_api.model.embedding import Embedding
from glm_tts_api.model.flow.config import NORM_EPS, FlowConfig
from glm_tts_api.model.flow.masks import zero_padding
from glm_tts_api.model.flow.rotary import position_angles, position_frequencies

LAST_POSITION = 4095


class GlobalResponseNorm(nn.Module):
    """The global response normalisation of ConvNeXt V2: scales each channel by its energy over all frames,
    relative to the other channels. [B, T, C] -> [B, T, C]."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1, 1, dim))
        self.beta = nn.Parameter(torch.zeros(1, 1, dim))

    def forward(self, x: Tensor, padding: Tensor | None) -> Tensor:
        energy: Tensor = zero_padding(x, padding).norm(dim=1, keepdim=True)  # [B, 1, C]
        response = energy / (energy.mean(-1, keepdim=True) + NORM_EPS)
        out: Tensor = self.gamma * (x * response) + self.beta + x
        return out


class ConvNeXtBlock(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv1d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim, eps=NORM_EPS)
        self.pwconv1 = nn.Linear(dim, 2 * dim)
        self.grn = GlobalResponseNorm(2 * dim)
        self.pwconv2 = nn.Linear(2 * dim, dim)

    def forward(self, x: Tensor, padding: Tensor | None) -> Tensor:
        y = self.dwconv(zero_padding(x, padding).transpose(1, 2)).transpose(1, 2)
        y = F.gelu(self.pwconv1(self.norm(y)))
        out: Tensor = x + self.pwconv2(self.grn(y, padding))
        return out


class TokenEmbedding(nn.Module):
    """Embeds the token ids of frames (one id for each frame) in their context: [B, T] int64 -> [B, T, E].

    `positions` [B, T] are the frames' places in the whole utterance; None means that the frames are the whole
    utterance. `padding` [B, T] bool is True on real frames.
    """

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.dim = config.text_emb_dim
        self.text_embed = Embedding(config.text_vocab_size + 1, self.dim)
        self.text_blocks = nn.ModuleList(ConvNeXtBlock(self.dim) for _ in range(config.conv_layers))

    def forward(self, frames: Tensor, padding: Tensor | None, positions: Tensor | None = None) -> Tensor:
        if positions is None:
            positions = torch.arange(frames.shape[1], device=frames.device)
        angles = position_angles(
            positions.clamp_max(LAST_POSITION), position_frequencies(self.dim, frames.device)
        )
        x: Tensor = self.text_embed(frames)
        x = x + torch.cat([angles.cos(), angles.sin()], -1).to(x.dtype)
        for block in self.text_blocks:
            x = block(x, padding)
        return x
