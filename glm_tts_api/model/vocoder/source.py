"""HiFT's excitation (docs/model.md 10.1): a fundamental read from the mel, its harmonics, and noise."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from glm_tts_api.model.buckets import silence
from glm_tts_api.model.placed_noise import placed_noise

HARMONICS = 9  # the fundamental and eight overtones
SINE_AMPLITUDE = 0.1
VOICED_NOISE = 0.003
VOICED_ABOVE_HZ = 10


class F0Predictor(nn.Module):
    """Fundamental frequency of each mel frame. [B, 80, T] -> [B, T] Hz, near zero where unvoiced."""

    def __init__(self, n_mels: int, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width in (n_mels, *[channels] * 4):
            layers += [weight_norm(nn.Conv1d(width, channels, 3, padding=1)), nn.ELU()]
        self.condnet = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels, 1)

    def forward(self, mel: Tensor, hidden: Tensor | None = None) -> Tensor:
        """The pitch of each frame; 0 for those that are `hidden` [T]."""
        x = mel
        for layer in self.condnet:
            x = layer(x) if isinstance(layer, nn.Conv1d) else silence(layer(x), hidden)
        f0: Tensor = self.classifier(x.transpose(1, 2)).squeeze(-1)
        return silence(f0.abs(), hidden)


def source_noise(seed: int, start: int, end: int, *, hop: int, device: torch.device | str) -> Tensor:
    """The noise of the frames from `start` to `end` of an utterance, [9, (end - start) * hop] standard
    normal; every sample's belongs to its place."""
    frames = placed_noise(seed, start, end, per_frame=(HARMONICS, hop), device=device)
    return frames.transpose(0, 1).flatten(1)


def draw_noise(n_samples: int, generator: torch.Generator) -> Tensor:
    """The noise of one utterance, [9, n_samples] standard normal, drawn in the published order.

    The published code fills a transposed view, which torch does serially in memory order (harmonic by
    harmonic) with other values than a contiguous fill; the initial phases drawn before it have no effect and
    neither has the draw after it, but both move the generator.
    """
    device = generator.device
    torch.rand(1, HARMONICS, generator=generator, device=device)
    noise = torch.empty(1, HARMONICS, n_samples, device=device).transpose(1, 2).normal_(generator=generator)
    torch.randn(1, n_samples, 1, generator=generator, device=device)
    return noise[0].transpose(0, 1)


class HarmonicSource(nn.Module):
    """Harmonics of the fundamental where voiced, noise elsewhere, mixed into one excitation signal."""

    def __init__(self, sample_rate: int, hop: int) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.hop = hop
        self.l_linear = nn.Linear(HARMONICS, 1)

    def forward(self, f0: Tensor, noise: Tensor, turned: Tensor | None = None) -> Tensor:
        """f0 [B, T] Hz float32, noise [B, 9, T * hop] standard normal -> [B, T * hop]. `turned` [B, 9, 1]:
        what the turns of earlier frames add up to. Frames behind an end have no pitch: the phase, which is
        interpolated, stays what it is at the end."""
        voiced = (f0 > VOICED_ABOVE_HZ).to(f0).repeat_interleave(self.hop, 1)[:, None]  # [B, 1, N]
        loudness = voiced * VOICED_NOISE + (1 - voiced) * (SINE_AMPLITUDE / 3)
        harmonics = self._sines(f0, turned) * voiced + loudness * noise  # [B, 9, N]
        mixed: Tensor = self.l_linear(harmonics.transpose(1, 2)).squeeze(-1)
        return mixed.tanh()

    def turns(self, f0: Tensor) -> Tensor:
        """Turns of each harmonic in one sample of each frame, f0 [B, T] -> [B, 9, T]."""
        multiples = torch.arange(1, HARMONICS + 1, device=f0.device).to(f0)
        return (f0[:, None] * multiples[:, None] / self.sample_rate) % 1

    def _sines(self, f0: Tensor, turned: Tensor | None) -> Tensor:
        """Phases add up frame by frame in float32, as published, and are interpolated to samples."""
        turns = self.turns(f0)
        turned_at = turns.cumsum(-1) if turned is None else torch.cat([turned, turns], -1).cumsum(-1)[..., 1:]
        phase = turned_at * 2 * math.pi
        phase = F.interpolate(phase * self.hop, scale_factor=float(self.hop), mode="linear")
        return SINE_AMPLITUDE * phase.sin()  # [B, 9, N]
