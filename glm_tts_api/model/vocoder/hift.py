"""HiFT, the 24 kHz vocoder: harmonic source, upsampling convolutions, inverse STFT (docs/model.md 10.1).

Trains with its weights split by weight norm, in which form the official file stores them; fold() joins them
for inference. torch reads both the new (parametrizations.weight.original0/1) and the old (weight_g/weight_v)
key style.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import weight_norm

from glm_tts_api.model.vocoder.buckets import FRAME_MULTIPLE, pad_to_multiple, silence_from
from glm_tts_api.model.vocoder.source import HARMONICS, F0Predictor, HarmonicSource, draw_noise, source_noise

SAMPLE_RATE = 24000
HOP = 480
N_MELS = 80
N_FFT, STFT_HOP = 16, 4
N_BINS = N_FFT // 2 + 1
UP_STRIDES, UP_KERNELS = (8, 5, 3), (16, 11, 7)
SOURCE_STRIDES, SOURCE_KERNELS = (15, 3, 1), (30, 6, 1)
SOURCE_BLOCK_KERNELS = (7, 7, 11)
BLOCK_KERNELS = (3, 7, 11)
DILATIONS = (1, 3, 5)
SLOPE = 0.1
LAST_SLOPE = 0.01
MAX_MAGNITUDE = 100.0
MAX_LOG_MAGNITUDE = 10.0  # far above log(100): keeps exp() and its gradient finite, changes no output
CEILING = 0.99


@dataclass(frozen=True, slots=True)
class HiftConfig:
    """Sizes; the official ones are the default. Read from hift/config.json where a checkpoint has one."""

    base_channels: int = 512
    f0_channels: int = 512

    def __post_init__(self) -> None:
        levels = 2 ** len(UP_STRIDES)
        if self.base_channels < levels or self.base_channels % levels:
            raise ValueError(f"hift: base_channels must be a multiple of {levels}, got {self.base_channels}")
        if self.f0_channels < 1:
            raise ValueError(f"hift: f0_channels must be positive, got {self.f0_channels}")

    @classmethod
    def from_json(cls, path: Path) -> HiftConfig:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{name: raw[name] for name in ("base_channels", "f0_channels") if name in raw})


class Snake(nn.Module):
    """x + sin(alpha x)^2 / alpha, one alpha per channel. [B, C, T] -> [B, C, T]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        alpha = self.alpha[:, None]
        return x + torch.sin(alpha * x) ** 2 / (alpha + 1e-9)


def _conv(channels: int, kernel: int, dilation: int) -> nn.Conv1d:
    padding = dilation * (kernel - 1) // 2
    conv = nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=padding)
    weight_norm(conv)
    return conv


class ResBlock(nn.Module):
    """Residual pairs of a dilated and a plain convolution. [B, C, T] -> [B, C, T], true up to `end`."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(_conv(channels, kernel, dilation) for dilation in DILATIONS)
        self.convs2 = nn.ModuleList(_conv(channels, kernel, 1) for _ in DILATIONS)
        self.activations1 = nn.ModuleList(Snake(channels) for _ in DILATIONS)
        self.activations2 = nn.ModuleList(Snake(channels) for _ in DILATIONS)

    def forward(self, x: Tensor, end: int) -> Tensor:
        layers = zip(self.activations1, self.convs1, self.activations2, self.convs2, strict=True)
        for snake1, conv1, snake2, conv2 in layers:
            y = conv1(silence_from(snake1(x), end))
            x = x + conv2(silence_from(snake2(y), end))
        return x


class HiFT(nn.Module):
    """Mel to waveform, 480 samples a frame."""

    sample_rate = SAMPLE_RATE
    hop = HOP
    window: Tensor

    def __init__(self, config: HiftConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.base_channels // 2**level for level in range(len(UP_STRIDES) + 1)]
        self.f0_predictor = F0Predictor(N_MELS, config.f0_channels)
        self.m_source = HarmonicSource(SAMPLE_RATE, HOP)
        self.conv_pre = weight_norm(nn.Conv1d(N_MELS, widths[0], 7, padding=3))
        self.ups, self.source_downs = nn.ModuleList(), nn.ModuleList()
        self.source_resblocks, self.resblocks = nn.ModuleList(), nn.ModuleList()
        for level, width in enumerate(widths[1:]):
            stride, kernel = UP_STRIDES[level], UP_KERNELS[level]
            up = nn.ConvTranspose1d(widths[level], width, kernel, stride, padding=(kernel - stride) // 2)
            self.ups.append(weight_norm(up))
            stride, kernel = SOURCE_STRIDES[level], SOURCE_KERNELS[level]
            self.source_downs.append(nn.Conv1d(2 * N_BINS, width, kernel, stride, padding=stride // 2))
            self.source_resblocks.append(ResBlock(width, SOURCE_BLOCK_KERNELS[level]))
            self.resblocks.extend(ResBlock(width, kernel) for kernel in BLOCK_KERNELS)
        self.conv_post = weight_norm(nn.Conv1d(widths[-1], 2 * N_BINS, 7, padding=3))
        self.register_buffer("window", torch.hann_window(N_FFT), persistent=False)

    def call_bytes(self, *, n_frames: int) -> int:
        """At least what a call was measured to take, at most twice that: the sines of the source, or the last
        level of convolutions."""
        source, last_level = 6 * HARMONICS * HOP, 5 * (self.config.base_channels // 8) * HOP // STFT_HOP
        return n_frames * (source + last_level) * torch.float32.itemsize

    def fold(self) -> HiFT:
        """Joins the weight-normed weights into plain ones, in place, and ends training."""
        for module in list(self.modules()):
            if parametrize.is_parametrized(module, "weight"):
                parametrize.remove_parametrizations(module, "weight")
        return self.requires_grad_(False).eval()

    @torch.inference_mode()
    def forward(self, mel: Tensor, *, noise: torch.Generator | int) -> Tensor:
        """mel [1, 80, T] -> wave [480 T] float32, within 0.99. `noise`: the seed of noise that belongs to
        each sample's place, or a generator that draws it in the published order."""
        return self.synthesize(mel, [noise])[0]

    @torch.inference_mode()
    def synthesize(
        self, mel: Tensor, noises: Sequence[torch.Generator | int], *, frame_multiple: int | None = None
    ) -> Tensor:
        """Equally long utterances at once, each with noise of its own: [B, 80, T] -> [B, 480 T].

        Convolutions run over a multiple of `frame_multiple` frames; unless told, what suits the device.
        """
        multiple = self.frame_multiple(mel) if frame_multiple is None else frame_multiple
        noise = torch.stack([self.noise(item, 0, mel.shape[-1], mel.device) for item in noises])
        excitation = self.m_source(self.f0_predictor(mel, multiple), noise.to(mel))
        return self.decode(mel, excitation, multiple)

    @staticmethod
    def frame_multiple(mel: Tensor) -> int:
        """What a mel's frames are padded to a multiple of on its device."""
        return FRAME_MULTIPLE.get(mel.device.type, 1)

    @staticmethod
    def noise(noise: torch.Generator | int, start: int, end: int, device: torch.device) -> Tensor:
        """The source's noise of the frames from `start` to `end`, [9, 480 (end - start)]."""
        if isinstance(noise, torch.Generator):
            return draw_noise((end - start) * HOP, noise)
        return source_noise(noise, start, end, hop=HOP, device=device)

    def decode(self, mel: Tensor, excitation: Tensor, frame_multiple: int = 1) -> Tensor:
        """mel [B, 80, T], excitation [B, 480 T] -> wave [B, 480 T]."""
        spectrum = torch.stft(excitation, N_FFT, STFT_HOP, N_FFT, self.window, return_complex=True)
        source = torch.cat([spectrum.real, spectrum.imag], 1)  # [B, 18, 120 T + 1]
        end = mel.shape[-1]
        x = pad_to_multiple(mel, frame_multiple)
        source = F.pad(source, (0, (x.shape[-1] - end) * HOP // STFT_HOP))
        x = self.conv_pre(x)
        for level, up in enumerate(self.ups):
            x = up(silence_from(F.leaky_relu(x, SLOPE), end))
            end *= UP_STRIDES[level]
            if level == len(self.ups) - 1:
                x = F.pad(x, (1, 0), mode="reflect")  # the STFT has one frame more than the samples / 4
                end += 1
            x = x + self.source_resblocks[level](self.source_downs[level](source), end)
            first = level * len(BLOCK_KERNELS)
            x = sum(block(x, end) for block in self.resblocks[first : first + len(BLOCK_KERNELS)])
            x = x / len(BLOCK_KERNELS)
        x = self.conv_post(silence_from(F.leaky_relu(x, LAST_SLOPE), end))
        return self._to_wave(x[..., :end])

    def _to_wave(self, x: Tensor) -> Tensor:
        """Log magnitude and phase of each STFT bin, [B, 18, 120 T + 1] -> [B, 480 T]."""
        magnitude, phase = torch.split(x.float(), N_BINS, 1)
        magnitude = magnitude.clamp_max(MAX_LOG_MAGNITUDE).exp().clamp_max(MAX_MAGNITUDE)
        phase = phase.sin()
        spectrum = torch.complex(magnitude * phase.cos(), magnitude * phase.sin())
        return torch.istft(spectrum, N_FFT, STFT_HOP, N_FFT, self.window).clamp(-CEILING, CEILING)
