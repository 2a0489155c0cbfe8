"""HiFT, the 24 kHz vocoder: a harmonic source, upsampling convolutions and an inverse STFT (docs/model.md
10.1).

In training and in the official file the weights are split by weight norm; fold() joins them for inference.
torch reads both the new names of the parts (parametrizations.weight.original0/1) and the old ones
(weight_g/weight_v).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from operator import mul
from pathlib import Path
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import weight_norm

from glm_tts_api.model.buckets import HIFT_GRAPHS, behind, bucket, is_padded, pad_end, silence
from glm_tts_api.model.graphs import GraphPool, Graphs
from glm_tts_api.model.threads import IntraOp, at_most, one_after_another
from glm_tts_api.model.vocoder.source import HARMONICS, F0Predictor, HarmonicSource, draw_noise, source_noise
from glm_tts_api.model.vocoder.stft import N_BINS, N_FFT, STFT_HOP, PaddedSTFT

SAMPLE_RATE = 24000
HOP = 480
N_MELS = 80
UP_STRIDES, UP_KERNELS = (8, 5, 3), (16, 11, 7)
SOURCE_STRIDES, SOURCE_KERNELS = (15, 3, 1), (30, 6, 1)
SOURCE_BLOCK_KERNELS = (7, 7, 11)
BLOCK_KERNELS = (3, 7, 11)
DILATIONS = (1, 3, 5)
SLOPE = 0.1
LAST_SLOPE = 0.01
MAX_MAGNITUDE = 100.0
MAX_LOG_MAGNITUDE = 10.0  # far above log(100): keeps exp() and its gradient finite, but changes no output
CEILING = 0.99

Number = TypeVar("Number", int, Tensor)


@dataclass(frozen=True, slots=True)
class HiftConfig:
    """The sizes of HiFT, read from hift/config.json if a checkpoint has this file. The defaults are the
    official sizes."""

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
    """The activation x + sin(alpha x)^2 / alpha, with one alpha per channel. [B, C, T] -> [B, C, T]."""

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
    """Three residual pairs of a dilated and a plain convolution, [B, C, T] -> [B, C, T]. Columns for which
    `hidden` [T] is True are set to zero before each convolution."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(_conv(channels, kernel, dilation) for dilation in DILATIONS)
        self.convs2 = nn.ModuleList(_conv(channels, kernel, 1) for _ in DILATIONS)
        self.activations1 = nn.ModuleList(Snake(channels) for _ in DILATIONS)
        self.activations2 = nn.ModuleList(Snake(channels) for _ in DILATIONS)

    def forward(self, x: Tensor, hidden: Tensor | None) -> Tensor:
        layers = zip(self.activations1, self.convs1, self.activations2, self.convs2, strict=True)
        for snake1, conv1, snake2, conv2 in layers:
            y = conv1(silence(snake1(x), hidden))
            x = x + conv2(silence(snake2(y), hidden))
        return x


class HiFT(nn.Module):
    """The vocoder HiFT: turns a mel into a waveform, 480 samples a frame. `intra_op` runs the independent
    branches of the network; of several branches, the last one takes longest."""

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
        self.padded_stft = PaddedSTFT()
        self.graphs = Graphs(self._speak)
        self.intra_op: IntraOp = one_after_another

    def call_bytes(self, *, n_frames: int) -> int:
        """Estimates the bytes that a call for `n_frames` frames needs. The estimate lies between the measured
        number and twice that number. The estimate counts the sines of the source and the last level of
        convolutions."""
        source, last_level = 6 * HARMONICS * HOP, 5 * (self.config.base_channels // 8) * HOP // STFT_HOP
        return n_frames * (source + last_level) * torch.float32.itemsize

    def fold(self) -> HiFT:
        """Joins the two parts of each weight-normed weight to a plain weight, in place. After that the module
        is for inference only."""
        for module in list(self.modules()):
            if parametrize.is_parametrized(module, "weight"):
                parametrize.remove_parametrizations(module, "weight")
        return self.requires_grad_(False).eval()

    @torch.inference_mode()
    def forward(self, mel: Tensor, *, noise: torch.Generator | int) -> Tensor:
        """Turns the mel [1, 80, T] into a wave [480 T] float32 in [-0.99, 0.99]. `noise` is a seed, from
        which each sample's noise is made by its place, or a generator that draws the noise in the order of
        the published code."""
        return self.synthesize(mel, [noise])[0]

    @torch.inference_mode()
    def synthesize(self, mel: Tensor, noises: Sequence[torch.Generator | int]) -> Tensor:
        """Turns the mels of several utterances of the same length into waves, [B, 80, T] -> [B, 480 T].
        `noises` has a seed or a generator for each utterance."""
        noise = torch.stack([self.noise(item, 0, mel.shape[-1], mel.device) for item in noises])
        unknown = torch.full_like(mel[:, 0], -1)
        return self.speak(mel, noise.to(mel), pitch=unknown, turned=mel.new_zeros(len(mel), HARMONICS, 1))[0]

    def speak(self, mel: Tensor, noise: Tensor, *, pitch: Tensor, turned: Tensor) -> tuple[Tensor, Tensor]:
        """Turns the mel [B, 80, T] and the noise [B, 9, 480 T] into the wave [B, 480 T] and the pitch [B, T],
        in Hz.

        The argument `pitch` [B, T] gives the pitch of frames where it is known already, and is negative
        elsewhere. `turned` [B, 9, 1] is the harmonics' phase before the first frame (see HarmonicSource). On
        a GPU the frames are padded to one of a few lengths, some of which run as CUDA graphs.
        """
        n_frames, device = mel.shape[-1], mel.device
        width, end = bucket(n_frames, device), None
        if is_padded(device):
            end = torch.full((), n_frames, device=device)
        mel, noise = pad_end(mel, width), pad_end(noise, width * HOP)
        with at_most(1):
            wave, pitch = self.graphs(mel, noise, pad_end(pitch, width, -1), turned, end)
        return wave[:, : n_frames * HOP], pitch[:, :n_frames]

    @torch.inference_mode()
    def capture(self, pool: GraphPool, n_frames: Iterable[int] = HIFT_GRAPHS) -> None:
        """Captures CUDA graphs in `pool` for one mel, for each number of frames in `n_frames`. From then on
        the weights must neither change nor move.

        Raises RuntimeError if the capture fails. HiFT then works without graphs."""
        device = self.window.device
        self.graphs.capture(
            [
                (
                    torch.zeros(1, N_MELS, length, device=device),
                    torch.zeros(1, HARMONICS, length * HOP, device=device),
                    torch.full((1, length), -1.0, device=device),
                    torch.zeros(1, HARMONICS, 1, device=device),
                    torch.full((), length, device=device),
                )
                for length in sorted(n_frames, reverse=True)
            ],
            pool,
        )

    def _speak(
        self, mel: Tensor, noise: Tensor, pitch: Tensor, turned: Tensor, end: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Computes `speak` for inputs that are padded already; the results have the padded length. They are
        valid before the frame `end` (a scalar tensor); from there on the mel must be zero. With None nothing
        is padded."""
        found = self.f0_predictor(mel, behind(end, mel.shape[-1]))
        pitch = torch.where(pitch < 0, found, pitch)
        return self.decode(mel, self.m_source(pitch, noise, turned), end), pitch

    @staticmethod
    def noise(noise: torch.Generator | int, start: int, end: int, device: torch.device) -> Tensor:
        """Returns the source's noise for the frames from `start` up to `end`, [9, 480 (end - start)]. `noise`
        is a seed or a generator."""
        if isinstance(noise, torch.Generator):
            return draw_noise((end - start) * HOP, noise)
        return source_noise(noise, start, end, hop=HOP, device=device)

    def decode(self, mel: Tensor, excitation: Tensor, end: Tensor | None = None) -> Tensor:
        """Computes the wave [B, 480 T] from the mel [B, 80, T] and the source's excitation [B, 480 T]. With
        padding, the result is valid up to the frame `end` (a scalar tensor), after which the mel must be
        zero. None means that there is no padding."""
        source = self._spectrum(excitation, end)  # [B, 18, 120 T + 1]
        n_columns = _n_columns(mel.shape[-1])
        ends = _n_columns(end) if end is not None else [None for _ in self.ups]
        hidden = [behind(*level) for level in zip(ends, n_columns, strict=True)]
        excited = self.intra_op(
            [partial(self._excite, level, source, hidden[level]) for level in range(len(self.ups))]
        )
        x, hidden_before = self.conv_pre(mel), behind(end, mel.shape[-1])
        for level, up in enumerate(self.ups):
            x = up(silence(F.leaky_relu(x, SLOPE), hidden_before))
            if level == len(self.ups) - 1:
                x = F.pad(x, (1, 0), mode="reflect")  # the STFT has one column more than samples / 4
            x, hidden_before = x + next(excited), hidden[level]
            first = level * len(BLOCK_KERNELS)
            blocks = self.resblocks[first : first + len(BLOCK_KERNELS)]
            x = sum(self.intra_op([partial(block, x, hidden[level]) for block in blocks]))
            x = x / len(BLOCK_KERNELS)
        x = self.conv_post(silence(F.leaky_relu(x, LAST_SLOPE), hidden[-1]))
        return self._to_wave(x, ends[-1])

    def _excite(self, level: int, source: Tensor, hidden: Tensor | None) -> Tensor:
        """Computes the part that the source adds at an upsampling level, from the source's spectrum."""
        excited: Tensor = self.source_resblocks[level](self.source_downs[level](source), hidden)
        return excited

    def _spectrum(self, excitation: Tensor, end: Tensor | None) -> Tensor:
        """Computes the STFT of the excitation [B, N], as [B, 18, N / 4 + 1]: nine real parts, then nine
        imaginary parts. With padding, the excitation is valid up to the frame `end` (a scalar tensor)."""
        if end is not None:
            return self.padded_stft.spectrum(excitation, end * HOP)
        spectrum = torch.stft(excitation, N_FFT, STFT_HOP, N_FFT, self.window, return_complex=True)
        return torch.cat([spectrum.real, spectrum.imag], 1)

    def _to_wave(self, x: Tensor, end: Tensor | None) -> Tensor:
        """Computes the wave [B, 4 (T - 1)] from the log magnitudes and phases of the STFT bins, x [B, 18, T].
        With padding, x is valid up to the column `end` (a scalar tensor)."""
        magnitude, phase = torch.split(x.float(), N_BINS, 1)
        magnitude = magnitude.clamp_max(MAX_LOG_MAGNITUDE).exp().clamp_max(MAX_MAGNITUDE)
        phase = phase.sin()
        real, imaginary = magnitude * phase.cos(), magnitude * phase.sin()
        if end is not None:
            wave = self.padded_stft.wave(torch.cat([real, imaginary], 1), (end - 1) * STFT_HOP)
        else:
            spectrum = torch.complex(real, imaginary)
            wave = torch.istft(spectrum, N_FFT, STFT_HOP, N_FFT, self.window)
        return wave.clamp(-CEILING, CEILING)


def _n_columns(n_frames: Number) -> list[Number]:
    """Returns the number of columns at each upsampling level, for a mel of `n_frames` frames."""
    *columns, last = list(accumulate(UP_STRIDES, mul, initial=n_frames))[1:]
    return [*columns, last + 1]
