"""The speech tokenizer: turns 16 kHz speech into discrete tokens, 25 a second (docs/model.md 5).

The network is a Whisper-style encoder with block-causal attention, average pooling over time and a codebook
for vector quantisation. The parameters have their official names without the prefix "model.encoder.".
Training calls hidden() and codes() separately, and computes the commitment and codebook losses itself.

The network reads log-mel features that are equal, to the last bit, to those of transformers'
WhisperFeatureExtractor. Importing that class would make an engine's start a second longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glm_tts_api.model.embedding import Embedding
from glm_tts_api.model.mel import FMAX, hann, slaney_filterbank

KEY_PREFIX = "model.encoder."
SAMPLE_RATE = 16000
_POWER_FLOOR = 1e-10
_RANGE = 8.0  # log10 units: values further than this below the largest value are raised to that limit
UNUSED_KEYS = ("embed_positions2.weight", "ema_count", "ema_weight")  # stored, but not used in inference
CODEBOOK_ROWS_PER_STEP = 256  # limits the distance table to 256 x codebook size (32 MiB with 32,768 codes)


@dataclass(frozen=True, slots=True)
class SpeechTokenizerConfig:
    """The fields of speech_tokenizer/config.json that inference uses. The defaults are the official sizes."""

    d_model: int = 1280
    encoder_attention_heads: int = 20
    encoder_ffn_dim: int = 5120
    num_mel_bins: int = 128
    max_source_positions: int = 1500
    pooling_position: int = 16
    pooling_kernel_size: int = 2
    quantize_position: int = 16
    quantize_vocab_size: int = 32768
    quantize_causal_block_size: int = 200

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"speech tokenizer: {item.name} must be a positive integer, got {value!r}")
        if self.d_model % self.encoder_attention_heads:
            raise ValueError("speech tokenizer: d_model must be a multiple of encoder_attention_heads")
        if self.pooling_position > self.quantize_position:
            raise ValueError("speech tokenizer: pooling_position must not come after quantize_position")

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> SpeechTokenizerConfig:
        return cls(**{item.name: raw[item.name] for item in fields(cls) if item.name in raw})


def encoder_key(official: str, config: SpeechTokenizerConfig) -> str | None:
    """Returns the module's name for a tensor of model*.safetensors whose name is `official`. Returns None for
    a tensor that inference does not use, so that it is not read from the disk.

    Not used are the decoder, the encoder's final norm, the layers after quantisation and UNUSED_KEYS. All
    other names must be the module's.
    """
    if not official.startswith(KEY_PREFIX):
        return None
    key = official.removeprefix(KEY_PREFIX)
    if key.startswith("layer_norm") or key in UNUSED_KEYS:
        return None
    parts = key.split(".")
    if parts[0] == "layers" and int(parts[1]) >= config.quantize_position:
        return None
    return key


class _Attention(nn.Module):
    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(dim, dim)
        self.k_proj = nn.Linear(dim, dim, bias=False)
        self.v_proj = nn.Linear(dim, dim)
        self.out_proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        q, k, v = (
            proj(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for proj in (self.q_proj, self.k_proj, self.v_proj)
        )  # [B, H, L, D/H]
        y = F.scaled_dot_product_attention(q, k, v, visible)
        out: Tensor = self.out_proj(y.transpose(1, 2).flatten(-2))
        return out  # [B, L, D]


class _Layer(nn.Module):
    """A transformer layer with LayerNorm before attention and feed-forward, and the exact GELU."""

    def __init__(self, config: SpeechTokenizerConfig) -> None:
        super().__init__()
        dim = config.d_model
        self.self_attn = _Attention(dim, config.encoder_attention_heads)
        self.self_attn_layer_norm = nn.LayerNorm(dim)
        self.fc1 = nn.Linear(dim, config.encoder_ffn_dim)
        self.fc2 = nn.Linear(config.encoder_ffn_dim, dim)
        self.final_layer_norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        x = x + self.self_attn(self.self_attn_layer_norm(x), visible)
        out: Tensor = x + self.fc2(F.gelu(self.fc1(self.final_layer_norm(x))))
        return out


def block_causal_visibility(key_mask: Tensor, block_size: int) -> Tensor:
    """Returns the attention mask [B, 1, L, L] bool, which is True where frame i may attend to frame j. A
    frame attends to all frames before it and to all of its own block of `block_size` frames.

    `key_mask` [B, L] bool is True on real frames; no frame attends to the others.
    """
    position = torch.arange(key_mask.shape[1], device=key_mask.device)
    block = position // block_size
    visible = block[None, :] <= block[:, None]  # [L, L]; j <= i implies block(j) <= block(i)
    return visible[None, None] & key_mask[:, None, None]


@dataclass(frozen=True, slots=True, eq=False)
class PromptFeatures:
    """The encoder's input for one utterance, in B pieces of 30 s at most: `features` [B, mel, F] and `mask`
    [B, F] bool (True on real frames), on the encoder's device. `n_tokens` is the number of the utterance's
    tokens."""

    features: Tensor
    mask: Tensor
    n_tokens: int


class SpeechTokenizer(nn.Module):
    """The speech tokenizer's encoder and codebook. `preprocessor` is the content of
    preprocessor_config.json."""

    def __init__(self, config: SpeechTokenizerConfig, preprocessor: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.config = config
        dim = config.d_model
        self.features = WhisperFeatures.from_dict(
            {"feature_size": config.num_mel_bins, **(preprocessor or {})}
        )
        self.conv1 = nn.Conv1d(config.num_mel_bins, dim, 3, padding=1)
        self.conv2 = nn.Conv1d(dim, dim, 3, stride=2, padding=1)
        self.embed_positions = Embedding(config.max_source_positions, dim)
        self.layers = nn.ModuleList(_Layer(config) for _ in range(config.quantize_position))
        self.codebook = Embedding(config.quantize_vocab_size, dim)

    @property
    def samples_per_token(self) -> int:
        """The number of samples per token: hop x convolution stride x pooling (640 with the official
        sizes)."""
        return self.features.hop_length * 2 * self.config.pooling_kernel_size

    def extract(self, waves: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Computes the Whisper log-mel features of 16 kHz pieces [N] of at most 30 s, padded to one length.
        Returns them as [B, mel, F], and a mask [B, F] that is True on real frames."""
        features, mask = self.features.extract(
            [wave.detach().cpu() for wave in waves], multiple=self.samples_per_token
        )
        weight = self.conv1.weight
        return features.to(weight), mask.to(weight.device)

    def hidden(self, features: Tensor, mask: Tensor, *, start: int = 0) -> tuple[Tensor, Tensor]:
        """Computes the vectors that are then quantised: features [B, mel, F] and mask [B, F] bool -> vectors
        [B, n, D] and mask [B, n] bool.

        `start` is the row of the position table for the first position. Training varies it, so that short
        pieces of audio use all rows.
        """
        x = F.gelu(self.conv1(features))
        x = F.gelu(self.conv2(x)).transpose(1, 2)  # [B, L, D]
        mask = mask[:, ::2]
        x = x + self.embed_positions.weight[start : start + x.shape[1]]
        pool, block = self.config.pooling_kernel_size, self.config.quantize_causal_block_size
        visible = block_causal_visibility(mask, block)
        for index, layer in enumerate(self.layers, start=1):
            x = layer(x, visible)
            if index == self.config.pooling_position:
                x, mask = _pool(x, pool), mask[:, ::pool]
                visible = block_causal_visibility(mask, max(1, block // pool))
        return x, mask

    def codes(self, hidden: Tensor) -> Tensor:
        """Returns the index of the nearest codebook row for each vector, [..., D] -> [...] int64. Of rows
        that are equally near, it is the first. There is no gradient."""
        with torch.no_grad():
            flat, table = hidden.reshape(-1, hidden.shape[-1]), self.codebook.weight
            norms = (table**2).sum(1)  # [K]
            nearest = [_nearest(rows, table, norms) for rows in torch.split(flat, CODEBOOK_ROWS_PER_STEP)]
            return torch.cat(nearest).view(hidden.shape[:-1])

    @torch.inference_mode()
    def tokenize(self, waves: list[Tensor]) -> list[Tensor]:
        """Returns the tokens [n] int64 of each 16 kHz float32 utterance [N]. An utterance longer than 30 s is
        cut into pieces of 30 s.

        The pieces of one utterance share a batch. Different utterances do not, because padding a row to the
        length of another row changes its last token. Raises ValueError for an empty utterance.
        """
        return [self.tokens(self.prompt_features(wave)) for wave in waves]

    def prompt_features(self, wave: Tensor) -> PromptFeatures:
        """Computes the features of a 16 kHz utterance [N], on the CPU. Raises ValueError for an empty
        utterance."""
        if wave.numel() == 0:
            raise ValueError("cannot tokenize an empty utterance")
        pieces = list(torch.split(wave, self.features.n_samples))
        return PromptFeatures(*self.extract(pieces), n_tokens=-(-len(wave) // self.samples_per_token))

    @torch.inference_mode()
    def tokens(self, prompt: PromptFeatures) -> Tensor:
        """Returns the tokens [n] int64 of the utterance of `prompt`. Does not wait for a GPU,
        which may still compute the tokens when this method returns."""
        hidden, _ = self.hidden(prompt.features, prompt.mask)
        kept = hidden.flatten(0, 1)[: prompt.n_tokens]  # all pieces but the last are full
        return self.codes(kept).to(torch.int64)


def _pool(x: Tensor, size: int) -> Tensor:
    """Averages each group of `size` neighbours in time: [B, L, D] -> [B, ceil(L / size), D]. Zeros fill the
    last group."""
    batch, length, dim = x.shape
    x = F.pad(x, (0, 0, 0, -length % size))
    return x.view(batch, -1, size, dim).mean(2)


def _nearest(rows: Tensor, table: Tensor, norms: Tensor) -> Tensor:
    distance = torch.addmm(norms + (rows**2).sum(1, keepdim=True), rows, table.T, alpha=-2)  # [n, K]
    return distance.argmin(1)


@dataclass(frozen=True, slots=True)
class WhisperFeatures:
    """The settings of the features, from preprocessor_config.json. `n_fft` and `hop_length` are in samples,
    `chunk_length` is in seconds."""

    feature_size: int = 80
    n_fft: int = 400
    hop_length: int = 160
    chunk_length: int = 30
    sampling_rate: int = SAMPLE_RATE
    padding_value: float = 0.0
    dither: float = 0.0

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> WhisperFeatures:
        """Makes the settings from the content of preprocessor_config.json. Raises ValueError for a setting
        that is not supported."""
        features = cls(**{item.name: raw[item.name] for item in fields(cls) if item.name in raw})
        for name in ("feature_size", "n_fft", "hop_length", "chunk_length"):
            if not isinstance(value := getattr(features, name), int) or value < 1:
                raise ValueError(f"{name} must be a positive integer, got {value!r}")
        for name in ("sampling_rate", "padding_value", "dither"):
            if (value := getattr(features, name)) != (only := getattr(cls(), name)):
                raise ValueError(f"{name} must be {only}, got {value!r}")
        return features

    @property
    def n_samples(self) -> int:
        """The number of samples of the longest piece."""
        return self.chunk_length * self.sampling_rate

    def extract(self, waves: Sequence[Tensor], *, multiple: int) -> tuple[Tensor, Tensor]:
        """Computes the features of B pieces of 16 kHz audio, float32 [N] on the CPU. Returns the features
        [B, feature_size, F] float32, and a mask [B, F] bool that is True on real frames.

        All pieces are padded with zeros to the length of the longest one, rounded up to a multiple of
        `multiple` samples.
        """
        longest = max(len(wave) for wave in waves)
        n = longest + -longest % multiple
        padded = torch.stack([F.pad(wave, (0, n - len(wave))) for wave in waves])  # [B, n]
        n_frames = n // self.hop_length
        filters, window = _filters(self.feature_size, self.n_fft), hann(self.n_fft, padded.device)
        spectrum = torch.stft(padded, self.n_fft, self.hop_length, window=window, return_complex=True)
        power = (spectrum[..., :-1].abs() ** 2).contiguous()  # [B, n_fft / 2 + 1, F]
        log_mel = (filters.T @ power).clamp(min=_POWER_FLOOR).log10()
        log_mel = torch.maximum(log_mel, log_mel.amax((1, 2), keepdim=True) - _RANGE)
        starts = torch.arange(n_frames) * self.hop_length
        mask = starts < torch.tensor([[len(wave)] for wave in waves])
        return (log_mel + 4.0) / 4.0, mask


@lru_cache(maxsize=4)
@torch.inference_mode(False)
def _filters(n_mels: int, n_fft: int) -> Tensor:
    """Returns the mel filters as [n_fft / 2 + 1, n_mels]. With this order of dimensions the product has the
    same bits as in transformers."""
    return slaney_filterbank(n_mels, n_fft, SAMPLE_RATE, FMAX).T.contiguous()
