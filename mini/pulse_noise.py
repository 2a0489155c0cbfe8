"""A small 32 kHz vocoder with the interface of Vocos2D: pulses and noise, each shaped by a learned filter.

It is plain differentiable signal processing (Engel et al., 2020), scriptable by torch.jit. The noise is a
hash of the sample's index: the interface has no random generator, and the same mel must give the same wave.

Pulses whose harmonics all peak together would have three times the peak of a voice of the same loudness, and
clip. So the harmonics of each frame get phases that spread their power evenly over the period (Schroeder,
1970).
"""

import math
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SAMPLE_RATE = 32000
N_FFT = 1280
BANDS = 160


class ConvNeXt(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim)
        self.expand = nn.Linear(dim, 3 * dim)
        self.contract = nn.Linear(3 * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        y = self.depthwise(x.transpose(1, 2)).transpose(1, 2)
        out: Tensor = x + self.contract(F.gelu(self.expand(self.norm(y))))
        return out


def band_matrix() -> Tensor:
    """Returns the matrix [BANDS, bins] that interpolates linearly from BANDS points to the bins of the STFT.

    The points are dense at low frequencies.
    """
    bins = torch.linspace(0, SAMPLE_RATE / 2, N_FFT // 2 + 1)
    warped = torch.log1p(bins / 700) / math.log1p(SAMPLE_RATE / 2 / 700) * (BANDS - 1)
    points = torch.arange(BANDS, dtype=torch.float32)
    return (1 - (points[:, None] - warped[None]).abs()).clamp_min(0)


def stretched(x: Tensor, length: int) -> Tensor:
    """Interpolates `x` [B, C, T] linearly to [B, C, length].

    F.interpolate would write all its modes into the TorchScript. Older versions of PyTorch, on which the
    server runs too, do not know the newest of these modes.
    """
    out: Tensor = torch.ops.aten.upsample_linear1d(x, [length], False)
    return out


class PulseNoise(nn.Module):
    """The vocoder: maps a log mel minus 7.85 [B, T, 80] to a wave [B, 640 T] at 32 kHz."""

    rate: Final[int] = SAMPLE_RATE
    hop: Final[int] = 640
    n_fft: Final[int] = N_FFT
    stft_hop: Final[int] = 320
    n_bands: Final[int] = BANDS
    lowest_f0_hz: Final[float] = 50.0
    highest_harmonic_hz: Final[float] = 14000.0
    typical_log_f0: Final[float] = 5.0
    spread: Final[float] = 0.8  # the share of a period over which the power of its harmonics is spread
    widest_spread: Final[float] = 320.0  # samples, a quarter of the window
    level: Final[float] = 0.93  # gives the loudness of the mini's 24 kHz voice, over 12 sentences
    ceiling: Final[float] = 0.95
    input_mean: Final[float] = -13.8  # the mean of the input, which is the log mel - 7.85
    input_std: Final[float] = 2.5

    window: Tensor
    bands: Tensor

    def __init__(self, dim: int = 128, depth: int = 5) -> None:
        super().__init__()
        self.input = nn.Conv1d(80, dim, 5, padding=2)
        self.blocks = nn.Sequential(*[ConvNeXt(dim) for _ in range(depth)])
        self.output = nn.Linear(dim, 2 * self.n_bands + 2)
        self.register_buffer("window", torch.hann_window(self.n_fft))
        self.register_buffer("bands", band_matrix())
        with torch.no_grad():
            self.output.weight.mul_(0.2)
            self.output.bias.fill_(0.0)[: 2 * self.n_bands] = -6.0  # near silence

    def analyse(self, mel: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns log filters [B, T, 2, n_bands], log F0 [B, T] and voicing logits [B, T] of a mel."""
        x = ((mel - self.input_mean) / self.input_std).transpose(1, 2)
        y = self.output(self.blocks(self.input(x).transpose(1, 2)))
        filters = y[..., : 2 * self.n_bands].unflatten(-1, (2, self.n_bands))
        return filters, y[..., -2] + self.typical_log_f0, y[..., -1]

    def synthesize(self, filters: Tensor, f0: Tensor) -> Tensor:
        """Makes a wave [B, 640 T] from filters and pitch.

        `filters` [B, T, 2, n_bands] are log magnitudes for pulses and noise. `f0` [B, T] is in Hz, 0 where
        unvoiced.
        """
        length = f0.shape[1] * self.hop
        voiced = (f0 > 0).float().repeat_interleave(self.hop, 1)
        pulses = self.pulses(f0.clamp_min(self.lowest_f0_hz)) * voiced
        noise = self.noise(length, f0.device).expand_as(pulses)
        gains = self.gains(filters)  # [B, 2, bins, frames]
        spectrum = self.stft(pulses) * self.dispersed(gains[:, 0], f0) + self.stft(noise) * gains[:, 1]
        return torch.istft(spectrum, self.n_fft, self.stft_hop, self.n_fft, self.window, length=length)

    def stft(self, wave: Tensor) -> Tensor:
        return torch.stft(wave, self.n_fft, self.stft_hop, self.n_fft, self.window, return_complex=True)

    def gains(self, filters: Tensor) -> Tensor:
        batch, frames = filters.shape[0], filters.shape[1] * self.hop // self.stft_hop + 1
        curves = filters.permute(0, 2, 3, 1).reshape(batch, 2 * self.n_bands, -1)
        curves = stretched(curves, frames).reshape(batch, 2, self.n_bands, frames)
        return (curves.transpose(2, 3) @ self.bands).transpose(2, 3).clamp(-12.0, 6.0).exp()

    def dispersed(self, gain: Tensor, f0: Tensor) -> Tensor:
        """Gives the gain [B, bins, frames] phases that delay each bin, and returns it as complex numbers.

        The delay of a bin is the share of the power below the bin, times a part of the period. The loss of
        level that a delay causes inside the window is compensated.
        """
        power = gain.square()
        share = torch.cumsum(power, 1) / power.sum(1, keepdim=True) - 0.5
        hz = stretched(f0.clamp_min(self.lowest_f0_hz)[:, None], gain.shape[2])
        delay = share * (self.spread * self.rate / hz).clamp_max(self.widest_spread)  # samples
        phase = -torch.cumsum(delay, 1) * (2 * math.pi / self.n_fft)
        turn = (2 * math.pi / self.n_fft) * delay.abs()
        kept = (1 - turn / (2 * math.pi)) * (2 + turn.cos()) / 3 + turn.sin() / (2 * math.pi)
        return torch.polar(gain / kept, phase)

    def within_ceiling(self, wave: Tensor) -> Tensor:
        """Returns the wave [B, N] with its level lowered, frame by frame, where it exceeds `ceiling`."""
        peaks = F.max_pool1d(wave.abs()[:, None], 3 * self.hop, self.hop, padding=self.hop)
        gain = self.ceiling / peaks.clamp_min(self.ceiling)  # by the peak of a frame and both its neighbours
        return wave * stretched(gain, wave.shape[1])[:, 0]

    def pulses(self, f0: Tensor) -> Tensor:
        """Returns a band-limited pulse train of unit power and pitch `f0`, as a sum of cosines."""
        hz = stretched(f0[:, None], f0.shape[1] * self.hop)[:, 0]
        turns = torch.cumsum(hz.double() / self.rate, 1)
        phase = (2 * math.pi * torch.remainder(turns, 1.0)).float()
        count = torch.floor(self.highest_harmonic_hz / hz)
        half = torch.sin(phase / 2)
        peak = half.abs() < 1e-4
        ratio = torch.sin((count + 0.5) * phase) / torch.where(peak, torch.ones_like(half), half)
        total = torch.where(peak, count, (ratio - 1) / 2)
        return total * torch.rsqrt(count)

    def noise(self, length: int, device: torch.device) -> Tensor:
        """Returns uniform noise [length] of unit variance, which is a hash of the sample's index."""
        h = torch.arange(1, length + 1, device=device) * 2654435761 % 4294967296
        for _ in range(2):
            h = ((h ^ (h >> 15)) * 739982445) % 4294967296
        h = h ^ (h >> 13)
        return (h.float() / 2147483648.0 - 1.0) * math.sqrt(3.0)

    def forward(self, mel: Tensor) -> Tensor:
        filters, log_f0, voicing = self.analyse(mel)
        f0 = torch.where(voicing > 0, log_f0.clamp(3.9, 6.2).exp(), torch.zeros_like(log_f0))
        return self.within_ceiling(self.level * self.synthesize(filters, f0))
