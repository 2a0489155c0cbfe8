"""HiFT's source (docs/model.md 10.1). The source makes the excitation signal from the pitch (which is
estimated from the mel), the pitch's harmonics, and noise."""

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
    """Estimates the pitch (fundamental frequency) of each mel frame: [B, 80, T] -> [B, T] in Hz. The pitch is
    near zero where the speech is unvoiced."""

    def __init__(self, n_mels: int, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width in (n_mels, *[channels] * 4):
            layers += [weight_norm(nn.Conv1d(width, channels, 3, padding=1)), nn.ELU()]
        self.condnet = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels, 1)

    def forward(self, mel: Tensor, hidden: Tensor | None = None) -> Tensor:
        """Returns the pitch of each frame of `mel` [B, 80, T], as [B, T] in Hz. The pitch is 0 where `hidden`
        [T] is True."""
        x = mel
        for layer in self.condnet:
            x = layer(x) if isinstance(layer, nn.Conv1d) else silence(layer(x), hidden)
        f0: Tensor = self.classifier(x.transpose(1, 2)).squeeze(-1)
        return silence(f0.abs(), hidden)


def source_noise(seed: int, start: int, end: int, *, hop: int, device: torch.device | str) -> Tensor:
    """Returns the noise for the frames from `start` up to `end` of an utterance, [9, (end - start) * hop],
    with a standard normal distribution. Each sample's noise depends only on `seed` and on its place."""
    frames = placed_noise(seed, start, end, per_frame=(HARMONICS, hop), device=device)
    return frames.transpose(0, 1).flatten(1)


def draw_noise(n_samples: int, generator: torch.Generator) -> Tensor:
    """Returns the noise of one utterance, [9, n_samples], with a standard normal distribution, drawn in the
    order of the published code.

    The published code fills a transposed view. torch does this one value after the other in memory order
    (harmonic by harmonic), and the values differ from those of a contiguous fill. The two other draws are not
    used, as in the published code, but they advance the generator.
    """
    device = generator.device
    torch.rand(1, HARMONICS, generator=generator, device=device)
    noise = torch.empty(1, HARMONICS, n_samples, device=device).transpose(1, 2).normal_(generator=generator)
    torch.randn(1, n_samples, 1, generator=generator, device=device)
    return noise[0].transpose(0, 1)


class HarmonicSource(nn.Module):
    """Makes the excitation signal: harmonics of the pitch where the speech is voiced, and noise elsewhere."""

    def __init__(self, sample_rate: int, hop: int) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.hop = hop
        self.l_linear = nn.Linear(HARMONICS, 1)

    def forward(self, f0: Tensor, noise: Tensor, turned: Tensor | None = None) -> Tensor:
        """Makes the excitation [B, T * hop] from the pitch `f0` [B, T] in Hz and the noise [B, 9, T * hop],
        which has a standard normal distribution. `turned` [B, 9, 1] is the sum of the turns of all earlier
        frames, for each harmonic. Padding after the end needs a pitch of 0: the phase, which is interpolated
        between frames, then stays the same after the end."""
        voiced = (f0 > VOICED_ABOVE_HZ).to(f0).repeat_interleave(self.hop, 1)[:, None]  # [B, 1, N]
        loudness = voiced * VOICED_NOISE + (1 - voiced) * (SINE_AMPLITUDE / 3)
        harmonics = self._sines(f0, turned) * voiced + loudness * noise  # [B, 9, N]
        mixed: Tensor = self.l_linear(harmonics.transpose(1, 2)).squeeze(-1)
        return mixed.tanh()

    def turns(self, f0: Tensor) -> Tensor:
        """Returns the turns (parts of a full period) that each harmonic makes in one sample, for each frame:
        f0 [B, T] in Hz -> [B, 9, T]."""
        multiples = torch.arange(1, HARMONICS + 1, device=f0.device).to(f0)
        return (f0[:, None] * multiples[:, None] / self.sample_rate) % 1

    def _sines(self, f0: Tensor, turned: Tensor | None) -> Tensor:
        """Returns the harmonics as sines, [B, 9, N]. The phases are added up frame by frame in float32, as in
        the published code, and interpolated to samples."""
        turns = self.turns(f0)
        turned_at = turns.cumsum(-1) if turned is None else torch.cat([turned, turns], -1).cumsum(-1)[..., 1:]
        phase = turned_at * 2 * math.pi
        phase = F.interpolate(phase * self.hop, scale_factor=float(self.hop), mode="linear")
        return SINE_AMPLITUDE * phase.sin()  # [B, 9, N]
