"""The diffusion transformer that estimates the flow's velocity (docs/model.md 8.1).

Rows of a batch may have different lengths: with a padding mask, a padded row gives what it gives alone. The
values that stay the same from one Euler step to the next (token embedding, AdaLN parts) are computed apart,
so a sampler can compute them once. Key names are the official ones without their "estimator." prefix.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glm_tts_api.model.flow.attention import attend
from glm_tts_api.model.flow.config import CONV_POS_GROUPS, NORM_EPS, FlowConfig
from glm_tts_api.model.flow.masks import zero_padding
from glm_tts_api.model.flow.rotary import Rotary, rotate_first_channels
from glm_tts_api.model.flow.token_embedding import TokenEmbedding

TIME_FREQUENCIES = 128
BLOCK_CHUNKS = 6  # shift, scale, gate of the attention; shift, scale, gate of the feed-forward
OUT_CHUNKS = 2  # scale, shift: the other way round than in the blocks


class TimeEmbedding(nn.Module):
    """Sinusoids of 1000 t through a two-layer network. t [N] float32 -> [N, D]."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.time_mlp = nn.Sequential(nn.Linear(2 * TIME_FREQUENCIES, dim), nn.SiLU(), nn.Linear(dim, dim))

    def forward(self, t: Tensor) -> Tensor:
        steps = torch.arange(TIME_FREQUENCIES, device=t.device).float()
        frequencies = torch.exp(-steps * (math.log(10000) / (TIME_FREQUENCIES - 1)))
        angles = 1000 * t.float()[:, None] * frequencies  # [N, 128]
        waves = torch.cat([angles.sin(), angles.cos()], -1)
        out: Tensor = self.time_mlp(waves.to(next(self.parameters()).dtype))
        return out


class ConvPosition(nn.Module):
    """Position from the neighbourhood: two grouped convolutions of 31 frames, each followed by Mish."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        first, second = (nn.Conv1d(dim, dim, 31, padding=15, groups=CONV_POS_GROUPS) for _ in range(2))
        self.conv1d = nn.Sequential(first, nn.Mish(), second, nn.Mish())

    def forward(self, x: Tensor, padding: Tensor | None) -> Tensor:
        for layer in self.conv1d:
            if isinstance(layer, nn.Conv1d):
                x = zero_padding(x, padding).to(layer.weight.dtype)
            x = layer(x.transpose(1, 2)).transpose(1, 2)
        return x


class InputEmbedding(nn.Module):
    """Noisy mel, prompt mel and tokens joined per frame. Three times [B, T, *] -> [B, T, D]."""

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.proj = nn.Linear(2 * config.mel_dim + config.text_emb_dim, config.trans_dim)
        self.conv_pos_embed = ConvPosition(config.trans_dim)

    def forward(self, x: Tensor, cond: Tensor, tokens: Tensor, padding: Tensor | None) -> Tensor:
        h: Tensor = self.proj(torch.cat([x, cond, tokens], -1))
        h = self.conv_pos_embed(h, padding) + h
        return h.to(x.dtype)


class Attention(nn.Module):
    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        inner = config.heads * config.dim_head
        self.heads = config.heads
        self.to_q = nn.Linear(config.trans_dim, inner)
        self.to_k = nn.Linear(config.trans_dim, inner)
        self.to_v = nn.Linear(config.trans_dim, inner)
        self.to_out = nn.ModuleList([nn.Linear(inner, config.trans_dim)])

    def forward(self, x: Tensor, rotary: tuple[Tensor, Tensor], mask: Tensor | None) -> Tensor:
        v = self.to_v(x)
        x = x.to(v.dtype)  # once for both products
        q, k = (rotate_first_channels(z, rotary) for z in (self.to_q(x), self.to_k(x)))
        q, k, v = (z.unflatten(-1, (self.heads, -1)).transpose(1, 2) for z in (q, k, v))
        y = attend(q, k, v, mask)  # [B, H, T, dim_head]
        out: Tensor = self.to_out[0](y.transpose(1, 2).flatten(-2))
        return out


class FeedForward(nn.Module):
    def __init__(self, dim: int, mult: int) -> None:
        super().__init__()
        expand = nn.Sequential(nn.Linear(dim, dim * mult), nn.GELU(approximate="tanh"))
        self.ff = nn.Sequential(
            expand, nn.Identity(), nn.Linear(dim * mult, dim)
        )  # official names: 0.0 and 2

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.ff(x)
        return out


class AdaLayerNorm(nn.Module):
    """LayerNorm whose shift and scale come from time and speaker.

    The layer is linear in silu(time) ++ silu(speaker), so both parts can be computed apart and added.
    """

    def __init__(self, config: FlowConfig, chunks: int) -> None:
        super().__init__()
        self.dim = config.trans_dim
        self.linear = nn.Linear(config.trans_dim + config.spk_dim, chunks * config.trans_dim)

    def time_part(self, time: Tensor) -> Tensor:
        return F.linear(F.silu(time), self.linear.weight[:, : self.dim], self.linear.bias)

    def speaker_part(self, speaker: Tensor) -> Tensor:
        return F.linear(F.silu(speaker), self.linear.weight[:, self.dim :])

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        return F.layer_norm(x, (self.dim,), eps=NORM_EPS) * (1 + scale) + shift


class Block(nn.Module):
    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.attn_norm = AdaLayerNorm(config, BLOCK_CHUNKS)
        self.attn = Attention(config)
        self.ff = FeedForward(config.trans_dim, config.ff_mult)

    def forward(
        self, x: Tensor, modulation: Tensor, rotary: tuple[Tensor, Tensor], mask: Tensor | None
    ) -> Tensor:
        shift_a, scale_a, gate_a, shift_f, scale_f, gate_f = modulation[:, None].chunk(BLOCK_CHUNKS, -1)
        x = x + gate_a * self.attn(self.attn_norm(x, scale_a, shift_a), rotary, mask)
        out: Tensor = x + gate_f * self.ff(self.attn_norm(x, scale_f, shift_f))
        return out


class DiT(nn.Module):
    """Velocity of the mel frames, given the prompt's mel, the tokens, the time and the speaker."""

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.config = config
        self.time_embed = TimeEmbedding(config.trans_dim)
        self.text_emb_layer = TokenEmbedding(config)
        self.emb_concator = InputEmbedding(config)
        self.rotary_embed = Rotary(config.dim_head)
        self.transformer_blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.norm_out = AdaLayerNorm(config, OUT_CHUNKS)
        self.proj_out = nn.Linear(config.trans_dim, config.mel_dim)

    def forward(
        self,
        x: Tensor,
        cond: Tensor,
        frames: Tensor,
        *,
        t: Tensor,
        speaker: Tensor,
        padding: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """One evaluation, each row at its own time. Training calls it.

        x, cond [B, T, 80]; frames [B, T] token ids per frame (`tokens_to_frames`); t [B] in [0, 1]; speaker
        [B, 192], of unit length or zeros; padding [B, T] bool, true on real frames; mask [B, 1, T, T] bool,
        the frames that each frame attends to, all real ones unless given -> velocity [B, T, 80].
        """
        tokens = self.text_emb_layer(frames, padding)
        modulation = self.time_parts(t) + self.speaker_parts(speaker)
        if mask is None and padding is not None:
            mask = padding[:, None, None]
        return self.velocity(x, cond, tokens, modulation=modulation, padding=padding, mask=mask)

    def _norms(self) -> list[AdaLayerNorm]:
        """The blocks' in order, then the output's."""
        return [module for module in self.modules() if isinstance(module, AdaLayerNorm)]

    def time_parts(self, t: Tensor) -> Tensor:
        """Terms that the times [N] add to all AdaLN layers, [N, depth * 6D + 2D]."""
        time = self.time_embed(t)
        return torch.cat([norm.time_part(time) for norm in self._norms()], -1)

    def speaker_parts(self, speaker: Tensor) -> Tensor:
        """Terms that the speakers [B, 192] add to all AdaLN layers, [B, depth * 6D + 2D]; zeros add
        nothing."""
        speaker = speaker.to(self.norm_out.linear.weight.dtype)
        return torch.cat([norm.speaker_part(speaker) for norm in self._norms()], -1)

    def velocity(
        self,
        x: Tensor,
        cond: Tensor,
        tokens: Tensor,
        *,
        modulation: Tensor,
        padding: Tensor | None = None,
        mask: Tensor | None = None,
        positions: Tensor | None = None,
    ) -> Tensor:
        """x, cond [B, T, 80], tokens [B, T, E] embedded, modulation [B, *] -> [B, T, 80]. `positions` [B, T]
        where the frames are in the whole utterance, unless they are all of it."""
        h = self.emb_concator(x, cond, tokens, padding)
        if positions is None:
            positions = torch.arange(h.shape[1], device=h.device)
        rotary = self.rotary_embed(positions, h.dtype)
        width = BLOCK_CHUNKS * self.config.trans_dim
        for index, block in enumerate(self.transformer_blocks):
            h = block(h, modulation[:, index * width : (index + 1) * width], rotary, mask)
        scale, shift = modulation[:, None, -OUT_CHUNKS * self.config.trans_dim :].chunk(OUT_CHUNKS, -1)
        out: Tensor = self.proj_out(self.norm_out(h, scale, shift))
        return out
