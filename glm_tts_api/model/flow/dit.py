"""The diffusion transformer that estimates the flow's velocity (docs/model.md 8.1).

The rows of a batch may have different lengths: with a padding mask, a padded row gives the same result as
alone. Separate methods compute the values that stay the same from one Euler step to the next (token
embedding, parts of the AdaLN layers), so that a sampler computes them once. The parameters have their
official names without the prefix "estimator.".
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glm_tts_api.model.embedding import Embedding
from glm_tts_api.model.flow.config import CONV_POS_GROUPS, NORM_EPS, FlowConfig
from glm_tts_api.model.linear import can_pack, has_amx_units

TIME_FREQUENCIES = 128
BLOCK_CHUNKS = 6  # shift, scale, gate of the attention; shift, scale, gate of the feed-forward
LAST_POSITION = 4095  # of the token embedding's table
FEWEST_FRAMES = 128  # for attention by heads: with fewer frames the fused kernel is faster
OUT_CHUNKS = 2  # scale, shift: in the blocks the shift comes first
Tables = tuple[Tensor, Tensor]  # of a rotation: cosines and sines
Rotation = Callable[[Tensor, Tensor, Tables], tuple[Tensor, Tensor]]  # of queries and keys


class TimeEmbedding(nn.Module):
    """Embeds the times t [N] float32 as vectors [N, D]: sines and cosines of 1000 t, then a two-layer
    network."""

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
    """Computes position features of each frame from its neighbours, [B, T, D] -> [B, T, D]: two grouped
    convolutions of 31 frames, each followed by Mish."""

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
    """Joins the noisy mel, the prompt's mel and the embedded tokens of each frame, [B, T, *] each. Projects
    them to [B, T, D] and adds position features (ConvPosition)."""

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

    def forward(self, x: Tensor, rotary: Tables, mask: Tensor | None, rotate: Rotation) -> Tensor:
        v = self.to_v(x)
        x = x.to(v.dtype)  # here, and so only once for the next two products
        q, k = rotate(self.to_q(x), self.to_k(x), rotary)
        q, k, v = (z.unflatten(-1, (self.heads, -1)).transpose(1, 2) for z in (q, k, v))
        y = attend(q, k, v, mask)  # [B, H, T, dim_head]
        out: Tensor = self.to_out[0](y.transpose(1, 2).flatten(-2))
        return out


def feed_forward(dim: int, mult: int) -> nn.Module:
    """Returns the feed-forward part of a block, whose layers have the official names ff.0.0 and ff.2."""
    expand = nn.Sequential(nn.Linear(dim, dim * mult), nn.GELU(approximate="tanh"))
    layers = nn.Sequential(expand, nn.Identity(), nn.Linear(dim * mult, dim))
    return nn.Sequential(OrderedDict(ff=layers))


class AdaLayerNorm(nn.Module):
    """A LayerNorm whose shift and scale depend on the time and the speaker.

    A linear layer computes them from silu(time) ++ silu(speaker). Since it is linear, DiT computes the part
    of the time and the part of the speaker separately and adds them.
    """

    def __init__(self, config: FlowConfig, chunks: int) -> None:
        super().__init__()
        self.dim = config.trans_dim
        self.linear = nn.Linear(config.trans_dim + config.spk_dim, chunks * config.trans_dim)

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        return F.layer_norm(x, (self.dim,), eps=NORM_EPS) * (1 + scale) + shift


class Block(nn.Module):
    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.attn_norm = AdaLayerNorm(config, BLOCK_CHUNKS)
        self.attn = Attention(config)
        self.ff = feed_forward(config.trans_dim, config.ff_mult)

    def forward(self, x: Tensor, modulation: Tensor, rotary: Tables, mask: Tensor | None) -> Tensor:
        shift_a, scale_a, gate_a, shift_f, scale_f, gate_f = modulation[:, None].chunk(BLOCK_CHUNKS, -1)
        x = x + gate_a * self.attn(self.attn_norm(x, scale_a, shift_a), rotary, mask, rotate_both)
        out: Tensor = x + gate_f * self.ff(self.attn_norm(x, scale_f, shift_f))
        return out


class DiT(nn.Module):
    """Estimates the velocity of the mel frames from the noisy mel, the prompt's mel, the tokens, the time and
    the speaker. `transform` computes the blocks and the last norm with other kernels (flow_kernels.py) if it
    is set."""

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
        self.transform: Callable[[DiT, Tensor, Tensor, Tables, Tensor | None], Tensor] | None = None
        # The linear layers of all AdaLN layers: those of the blocks in their order, then that of the output.
        self._modulators = [part.linear for part in self.modules() if isinstance(part, AdaLayerNorm)]

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
        """Computes the velocity [B, T, 80] once, for each row at its own time. Only training calls this.

        `x` is the noisy mel and `cond` the prompt's mel, [B, T, 80] each. `frames` [B, T] holds a token id
        for each frame (`tokens_to_frames`). `t` [B] are the times in [0, 1]. `speaker` [B, 192] has unit
        length or is zero. `padding` [B, T] bool is True on real frames. `mask` [B, 1, T, T] bool says to
        which frames each frame attends; None means all real frames.
        """
        tokens = self.text_emb_layer(frames, padding)
        modulation = self.time_parts(t) + self.speaker_parts(speaker)
        if mask is None and padding is not None:
            mask = padding[:, None, None]
        return self.velocity(x, cond, tokens, modulation=modulation, padding=padding, mask=mask)

    def time_parts(self, t: Tensor) -> Tensor:
        """Returns the parts of all AdaLN layers that come from the times t [N], as [N, depth * 6D + 2D]."""
        time, dim = F.silu(self.time_embed(t)), self.config.trans_dim
        return torch.cat([F.linear(time, each.weight[:, :dim], each.bias) for each in self._modulators], -1)

    def speaker_parts(self, speaker: Tensor) -> Tensor:
        """Returns the parts of all AdaLN layers that come from the speakers [B, 192], as [B, depth * 6D +
        2D]. A speaker of zeros gives zeros."""
        speaker, dim = F.silu(speaker.to(self.norm_out.linear.weight.dtype)), self.config.trans_dim
        return torch.cat([F.linear(speaker, each.weight[:, dim:]) for each in self._modulators], -1)

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
        """Computes the velocity [B, T, 80] of the noisy mel `x` [B, T, 80]. `cond` [B, T, 80] is the prompt's
        mel and `tokens` [B, T, E] are the embedded tokens. `modulation` [B, *] is the sum of `time_parts` and
        `speaker_parts`. `padding` [B, T] bool is True on real frames. `mask` [B, 1, 1, T] or [B, 1, T, T]
        bool is True where a frame may be attended to; None means everywhere. `positions` [B, T] are the
        frames' places in the whole utterance; None means that the frames are the whole utterance."""
        h = self.emb_concator(x, cond, tokens, padding)
        if positions is None:
            positions = torch.arange(h.shape[1], device=h.device)
        rotary = self.rotary_embed(positions, h.dtype)
        if self.transform:
            velocity: Tensor = self.proj_out(self.transform(self, h, modulation, rotary, mask))
            return velocity
        width = BLOCK_CHUNKS * self.config.trans_dim
        for index, block in enumerate(self.transformer_blocks):
            h = block(h, modulation[:, index * width : (index + 1) * width], rotary, mask)
        scale, shift = modulation[:, None, -OUT_CHUNKS * self.config.trans_dim :].chunk(OUT_CHUNKS, -1)
        out: Tensor = self.proj_out(self.norm_out(h, scale, shift))
        return out


def position_frequencies(dim: int, device: torch.device | None = None) -> Tensor:
    return 1.0 / (10000 ** (torch.arange(0, dim, 2, device=device).float() / dim))  # [dim / 2]


class Rotary(nn.Module):
    """Makes the tables that rotate pairs of neighbouring channels. The published model rotates only the first
    `dim` channels, before the heads are split. So only head 0 knows positions."""

    inv_freq: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        # Computed on the CPU: on the meta device PyTorch would load its compiler for it, which takes 2 s.
        frequencies = position_frequencies(dim, torch.device("cpu"))
        self.register_buffer("inv_freq", frequencies.to(torch.get_default_device()))

    def forward(self, positions: Tensor, dtype: torch.dtype) -> Tables:
        """Returns the cosine and sine tables of the positions [..., T], [..., T, dim] each. Each frequency
        stands in two neighbouring channels."""
        angles = (positions.float()[..., None] * self.inv_freq.float()).repeat_interleave(2, -1)
        return angles.cos().to(dtype), angles.sin().to(dtype)


def rotate_both(q: Tensor, k: Tensor, tables: Tables) -> tuple[Tensor, Tensor]:
    return rotate_first_channels(q, tables), rotate_first_channels(k, tables)


def rotate_first_channels(x: Tensor, tables: Tables) -> Tensor:
    """Rotates the first channels of x [B, T, D] by the cosine and sine `tables` [..., T, dim], in the
    precision of the tables. The channels from `dim` on stay as they are."""
    cos, sin = tables
    head, rest = x[..., : cos.shape[-1]], x[..., cos.shape[-1] :]
    turned = torch.stack([-head[..., 1::2], head[..., ::2]], -1).flatten(-2)
    return torch.cat([(head * cos + turned * sin).to(x.dtype), rest], -1)


def zero_padding(x: Tensor, padding: Tensor | None) -> Tensor:
    """Returns x [B, T, C] with zeros where the mask `padding` [B, T] is False. None changes nothing."""
    return x if padding is None else x * padding[:, :, None].to(x.dtype)


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
        places = positions.clamp_max(LAST_POSITION).float()
        angles = places[..., None] * position_frequencies(self.dim, frames.device)  # [..., T, E / 2]
        x: Tensor = self.text_embed(frames)
        x = x + torch.cat([angles.cos(), angles.sin()], -1).to(x.dtype)
        for block in self.text_blocks:
            x = block(x, padding)
        return x


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """Computes the attention of q, k, v [B, H, T, D] (rows, heads, frames, head size), as [B, H, T, D].
    `mask`, [B, 1, 1, T] or [B, 1, T, T] bool, is True where a frame may be attended to.

    PyTorch's fused kernel multiplies through MKL. On an AMD EPYC, MKL was no faster in bfloat16 than in
    float32, and oneDNN was faster. So in bfloat16 each head is multiplied by oneDNN. Scores and softmax are
    float32, and the weights are rounded to bfloat16, as in the fused kernel. On a CPU with AMX units the
    fused kernel takes two fifths of that time. In float32 it stays as well: another kernel would change the
    bits of all audio.
    """
    by_heads = mask is None and q.device.type == "cpu" and q.dtype == torch.bfloat16
    by_heads = by_heads and q.shape[2] >= FEWEST_FRAMES and can_pack(q.dtype) and not has_amx_units()
    if by_heads and not torch.is_grad_enabled():
        return _attend_by_heads(q, k, v)
    return F.scaled_dot_product_attention(q, k, v, mask)


def _attend_by_heads(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    n_rows, n_heads, length, width = q.shape
    out = q.new_empty(n_rows, length, n_heads, width).transpose(1, 2)
    queries, keys = (q.float() * width**-0.5).contiguous(), k.float().contiguous()
    product = torch.ops.mkldnn._linear_pointwise
    for row in range(n_rows):
        for head in range(n_heads):
            scores = product(queries[row, head], keys[row, head], None, "none", [], "")  # [T, T]
            weights = scores.softmax(-1).to(v.dtype)
            torch.mm(weights, v[row, head], out=out[row, head])
    return out
