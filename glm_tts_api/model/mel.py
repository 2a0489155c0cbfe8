"""Computes log-mel spectrograms of waveforms, and resamples all audio that the models get.

Pure functions of tensors (docs/model.md 7). Filters and windows are cached by size, sample rate and device.
(A cache with fewer keys would give one sample rate the filters of another.) They are made outside inference
mode, because a training loss may use them too.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.contracts import SampleRate

N_MELS = 80
FMAX = 8000.0
FRAMES_A_SECOND = 50
HOPS_PER_FFT = 4
LOWPASS_WIDTH = 6  # zero crossings of the sinc on each side
ROLLOFF = 0.99
MAGNITUDE_FLOOR = 1e-9
MEL_FLOOR = 1e-5


def resample(wave: Tensor, sr_in: int, sr_out: int) -> Tensor:
    """Resamples wave [..., N] from `sr_in` Hz to `sr_out` Hz with a windowed sinc (docs/model.md 7.1). The
    result is [..., ceil(N * sr_out / sr_in)]."""
    if sr_in == sr_out:
        return wave
    divisor = math.gcd(sr_in, sr_out)
    orig, new = sr_in // divisor, sr_out // divisor
    kernel, width = _sinc_kernel(orig, new)
    n = wave.shape[-1]
    x = F.pad(wave.reshape(-1, 1, n), (width, width + orig))  # [rows, 1, N']
    y = F.conv1d(x, kernel.to(wave), stride=orig)  # [rows, new, steps]
    y = y.transpose(1, 2).reshape(*wave.shape[:-1], -1)
    return y[..., : math.ceil(new * n / orig)]


@lru_cache(maxsize=32)
@torch.inference_mode(False)
def _sinc_kernel(orig: int, new: int) -> tuple[Tensor, int]:
    """Returns the resampling kernel: a Hann-windowed sinc for each of the `new` output phases, as
    [new, 1, 2 * width + orig], and its width. The kernel is computed in float64."""
    base = ROLLOFF * min(orig, new)
    width = math.ceil(LOWPASS_WIDTH * orig / base)
    taps = torch.arange(-width, width + orig, dtype=torch.float64) / orig
    phases = torch.arange(new, dtype=torch.float64) / new
    t = ((taps[None, :] - phases[:, None]) * base).clamp(-LOWPASS_WIDTH, LOWPASS_WIDTH)
    window = torch.cos(t * math.pi / LOWPASS_WIDTH / 2) ** 2
    kernel = torch.sinc(t) * window * (base / orig)
    return kernel.float()[:, None], width


def slaney_filterbank(n_mels: int, n_fft: int, sample_rate: int, fmax: float) -> Tensor:
    """Returns the mel filters as [n_mels, n_fft // 2 + 1] float32: triangles on the Slaney mel scale from 0
    to `fmax` Hz, each with the area one."""
    top = _hz_to_mel(torch.tensor(fmax, dtype=torch.float64))
    edges = _mel_to_hz(torch.linspace(0, float(top), n_mels + 2, dtype=torch.float64))  # [n_mels + 2] Hz
    bins = torch.linspace(0, sample_rate / 2, n_fft // 2 + 1, dtype=torch.float64)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (bins - low) / (centre - low)
    falling = (high - bins) / (high - centre)
    triangles = torch.minimum(rising, falling).clamp_min(0)
    return (triangles * 2 / (high - low)).float()


def _hz_to_mel(hz: Tensor) -> Tensor:
    """Converts Hz to mels on the Slaney scale: linear below 1 kHz (200/3 Hz per mel), logarithmic above."""
    log_part = 15 + 27 * torch.log(hz.clamp_min(1e-9) / 1000) / math.log(6.4)
    return torch.where(hz < 1000, hz * 3 / 200, log_part)


def _mel_to_hz(mel: Tensor) -> Tensor:
    return torch.where(mel < 15, mel * 200 / 3, 1000 * torch.exp((mel - 15) * math.log(6.4) / 27))


@lru_cache(maxsize=16)
@torch.inference_mode(False)
def _mel_filters(n_fft: int, sample_rate: int, device: torch.device) -> Tensor:
    return slaney_filterbank(N_MELS, n_fft, sample_rate, FMAX).to(device)


@lru_cache(maxsize=16)
@torch.inference_mode(False)
def hann(n_fft: int, device: torch.device) -> Tensor:
    return torch.hann_window(n_fft, device=device)


def log_mel(wave: Tensor, sample_rate: int) -> Tensor:
    """Returns the mel spectrogram (natural logarithm, docs/model.md 7) of a float32 signal at `sample_rate`
    Hz.

    wave [..., N] -> [..., 80, N // hop], with 50 frames a second. Raises ValueError if `sample_rate` is
    neither 24,000 nor 32,000, or if the signal is too short to be padded by reflection.
    """
    if sample_rate not in get_args(SampleRate):
        raise ValueError(f"log_mel knows {get_args(SampleRate)} Hz, not {sample_rate}")
    hop = sample_rate // FRAMES_A_SECOND
    n_fft = HOPS_PER_FFT * hop
    pad = (n_fft - hop) // 2
    if wave.shape[-1] <= pad:
        raise ValueError(f"log_mel needs more than {pad} samples, got {wave.shape[-1]}")
    rows = F.pad(wave.reshape(-1, wave.shape[-1]), (pad, pad), mode="reflect")
    spectrum = torch.stft(
        rows, n_fft, hop, n_fft, hann(n_fft, wave.device), center=False, return_complex=True
    )  # [rows, n_fft / 2 + 1, T]
    magnitude = torch.sqrt(spectrum.real**2 + spectrum.imag**2 + MAGNITUDE_FLOOR)
    mel = _mel_filters(n_fft, sample_rate, wave.device) @ magnitude  # [rows, 80, T]
    return mel.clamp_min(MEL_FLOOR).log().reshape(*wave.shape[:-1], N_MELS, -1)
