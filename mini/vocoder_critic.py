"""The vocoder's critic: small networks that tell speech from the vocoder's output by their spectrograms.

Losses on magnitudes alone leave an even, buzzing sound, since their best answer is an average. A critic asks
for spectrograms that could be speech (least squares GAN, Mao et al., 2017; spectrograms at several
resolutions as in UnivNet, Jang et al., 2021).
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

FFT_SIZES = (1024, 256)
_CHANNELS = 12
_FLOOR = 1e-3


class SpectrogramCritic(nn.Module):
    """Judges the log spectrogram of one STFT size, patch by patch."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("window", torch.hann_window(size), persistent=False)
        self.window: Tensor
        widths = (1, _CHANNELS, _CHANNELS, _CHANNELS, _CHANNELS)
        strides = ((2, 1), (2, 1), (2, 2), (1, 1))
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(a, b, (9, 3), stride, (4, 1)))
            for (a, b), stride in zip(pairwise(widths), strides, strict=True)
        )
        self.judge = weight_norm(nn.Conv2d(_CHANNELS, 1, 3, padding=1))

    def forward(self, wave: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Judges the patches of a wave [B, N] (1: speech, 0: none). Returns the layers' features as well."""
        spectrum = torch.stft(wave, self.size, self.size // 4, window=self.window, return_complex=True)
        power = spectrum.real.square() + spectrum.imag.square()
        x = (power.clamp_min(_FLOOR**2).log() / 2)[:, None]
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.1)
            features.append(x)
        return self.judge(x), features


class Critic(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.ModuleList(SpectrogramCritic(size) for size in FFT_SIZES)

    def loss(self, wave: Tensor, target: Tensor) -> Tensor:
        """Returns the critic's loss: speech `target` [B, N] should be judged 1, the vocoder's `wave` 0."""
        total = wave.new_zeros(())
        for part in self.parts:
            total = total + (1 - part(target)[0]).square().mean() + part(wave.detach())[0].square().mean()
        return total / len(self.parts)

    def losses_of(self, wave: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Returns what the vocoder should lower: its distance from a judgement of 1, and the distance of the
        features of its `wave` from those of the `target`, as a share of their size."""
        judged, distance = wave.new_zeros(()), wave.new_zeros(())
        for part in self.parts:
            judgement, features = part(wave)
            with torch.no_grad():
                _, wanted = part(target)
            judged = judged + (1 - judgement).square().mean()
            for one, other in zip(features, wanted, strict=True):
                distance = distance + (one - other).abs().mean() / other.abs().mean() / len(features)
        return judged / len(self.parts), distance / len(self.parts)
