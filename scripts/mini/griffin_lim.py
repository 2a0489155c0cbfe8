"""Griffin-Lim in its fast form (Perraudin et al., 2013): a vocoder without training, for comparison."""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.model.mel import slaney_filterbank

SAMPLE_RATE, N_FFT, HOP, N_MEL = 24000, 1920, 480, 80
MOMENTUM, TINY = 0.99, 1e-6


@cache
def _filters() -> Tensor:
    return slaney_filterbank(N_MEL, N_FFT, SAMPLE_RATE, 8000.0)


def griffin_lim(mel: Tensor, *, iterations: int = 40, seed: int = 0) -> Tensor:
    """Converts a natural-log mel [80, T] to a wave [480 T] at 24 kHz. `seed` gives the first phases."""
    magnitude = linear_magnitude(mel)
    noise = torch.rand(magnitude.shape, generator=torch.Generator().manual_seed(seed))
    spectrum = torch.polar(magnitude, 2 * torch.pi * noise)
    before = torch.zeros_like(spectrum)
    for _ in range(iterations):
        consistent = _stft(_istft(spectrum))
        faster = consistent + MOMENTUM * (consistent - before)
        spectrum, before = magnitude * faster / (faster.abs() + TINY), consistent
    wave: Tensor = _istft(spectrum)[(N_FFT - HOP) // 2 :][: mel.shape[1] * HOP].clamp(-1, 1)
    return wave


def linear_magnitude(mel: Tensor, *, rounds: int = 8) -> Tensor:
    """Estimates the magnitude spectrum [961, T] of a natural-log mel [80, T].

    Begins with the pseudo-inverse of the mel filters, then makes `rounds` multiplicative updates.
    """
    filters, target = _filters(), mel.exp()
    magnitude: Tensor = (torch.linalg.pinv(filters) @ target).clamp_min(TINY)
    for _ in range(rounds):
        ratio = target / (filters @ magnitude + TINY)
        magnitude = magnitude * ((filters.T @ ratio) / (filters.sum(0)[:, None] + TINY)).clamp(0, 10)
    return magnitude


def _stft(wave: Tensor) -> Tensor:
    return torch.stft(wave, N_FFT, HOP, N_FFT, torch.hann_window(N_FFT), center=False, return_complex=True)


def _istft(spectrum: Tensor) -> Tensor:
    """The inverse STFT by overlap-add, without removing the margins: [961, T] -> [480 (T + 3)]."""
    window, n_frames = torch.hann_window(N_FFT), spectrum.shape[1]
    frames = torch.fft.irfft(spectrum, N_FFT, dim=0) * window[:, None]
    weights = (window**2)[:, None].expand(-1, n_frames)
    size, shape = (1, (n_frames - 1) * HOP + N_FFT), (1, N_FFT)
    both = F.fold(torch.stack([frames, weights]), size, shape, stride=(1, HOP))[:, 0, 0]
    return both[0] / both[1].clamp_min(1e-3)
