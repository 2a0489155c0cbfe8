"""Spectral losses for vocoders. They compare magnitudes only, since phase is hardly audible."""

import torch
from torch import Tensor, nn

from glm_tts_api.model.mel import log_mel

FFT_SIZES = (2048, 1024, 512, 240)
FLOOR = 1e-2


class MultiResolutionStft(nn.Module):
    """The sum of spectral convergence and log-magnitude distance, averaged over FFT_SIZES."""

    def __init__(self) -> None:
        super().__init__()
        for size in FFT_SIZES:
            self.register_buffer(f"window{size}", torch.hann_window(size), persistent=False)

    def forward(self, wave: Tensor, target: Tensor) -> Tensor:
        """Returns the loss between two waves [B, N] as a scalar."""
        total = wave.new_zeros(())
        for size in FFT_SIZES:
            a, b = self._magnitude(wave, size), self._magnitude(target, size)
            convergence = (a - b).norm() / b.norm().clamp_min(FLOOR)
            total = total + convergence + (a.log() - b.log()).abs().mean()
        return total / len(FFT_SIZES)

    def _magnitude(self, wave: Tensor, size: int) -> Tensor:
        spectrum = torch.stft(
            wave, size, size // 4, size, getattr(self, f"window{size}"), return_complex=True
        )
        power = spectrum.real.square() + spectrum.imag.square()
        return power.clamp_min(FLOOR**2).sqrt()


def mel_distance(wave: Tensor, target: Tensor, sample_rate: int) -> Tensor:
    """Returns the mean absolute difference of the log mels of two waves [B, N]."""
    return (log_mel(wave, sample_rate) - log_mel(target, sample_rate)).abs().mean()
