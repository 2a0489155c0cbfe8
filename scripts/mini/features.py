"""What the networks hear and speak: the service's own features, computed for whole trimmed utterances.

One speech token covers 40 ms = 960 samples at 24 kHz = 2 mel frames = 4 Whisper frames; waves are padded
to that.
"""

from math import gcd, pi

import numpy as np
import numpy.typing as npt
import torch
from scipy.signal import resample_poly
from torch import Tensor

TOKEN_SAMPLES = 960
N_MEL, N_WHISPER = 80, 128
F0_RANGE_HZ = (55.0, 420.0)


def slaney_filters(sample_rate: int, n_fft: int, n_mel: int) -> Tensor:
    """Slaney-normalised triangles on the Slaney mel scale, 0 to 8000 Hz: [n_mel, n_fft // 2 + 1]."""
    step = np.log(6.4) / 27

    def to_mel(hz: float) -> float:
        return hz * 3 / 200 if hz < 1000 else 15 + float(np.log(hz / 1000)) / step

    mel = np.linspace(to_mel(0.0), to_mel(8000.0), n_mel + 2)
    edges = np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((np.maximum(mel, 15) - 15) * step))
    bins = np.linspace(0, sample_rate / 2, n_fft // 2 + 1)
    widths = np.diff(edges)
    ramps = edges[:, None] - bins[None]
    up, down = -ramps[:-2] / widths[:-1, None], ramps[2:] / widths[1:, None]
    triangles = np.maximum(0, np.minimum(up, down)) * (2 / (edges[2:] - edges[:-2]))[:, None]
    return torch.from_numpy(triangles).float()


def resample_sinc_hann(wave: Tensor, source_hz: int, target_hz: int) -> Tensor:
    """The service's resampler (specification 7.1) for a wave [N]."""
    common = gcd(source_hz, target_hz)
    old, new = source_hz // common, target_hz // common
    if old == new:
        return wave
    base = 0.99 * min(old, new)
    width = int(np.ceil(6 * old / base))
    taps = torch.arange(-width, width + old, dtype=torch.float64) / old
    t = (taps[None] - torch.arange(new, dtype=torch.float64)[:, None] / new) * base
    t = t.clamp(-6, 6) * pi
    kernel = torch.where(t == 0, 1.0, t.sin() / t) * torch.cos(t / 12).square() * base / old
    padded = torch.nn.functional.pad(wave, (width, width + old))[None, None]
    out = torch.nn.functional.conv1d(padded, kernel.float()[:, None], stride=old)
    return out[0].T.reshape(-1)[: -(-new * len(wave) // old)]


class FeatureExtractor:
    """Whisper log-mel (16 kHz) and the synthesis mel (24 kHz) with the pitch of each frame."""

    def __init__(self) -> None:
        self._filters_24k = slaney_filters(24000, 1920, N_MEL)
        self._filters_16k = slaney_filters(16000, 400, N_WHISPER)
        self._window_24k = torch.hann_window(1920)
        self._window_16k = torch.hann_window(400)
        window_power = torch.fft.rfft(self._window_24k).abs().square()
        self._window_correlation = torch.fft.irfft(window_power)

    def prepare(self, wave: npt.NDArray[np.int16]) -> Tensor:
        """espeak's int16 at 22.05 kHz -> float at 24 kHz, zero-padded to whole tokens."""
        y = resample_poly(wave.astype(np.float32) / 32768, 160, 147).astype(np.float32)
        y = np.pad(y, (0, -len(y) % TOKEN_SAMPLES)).clip(-1, 1)
        return torch.from_numpy(y)

    def whisper(self, wave_24k: Tensor) -> Tensor:
        """[4 n_tokens, 128], as transformers' WhisperFeatureExtractor gives for the utterance alone."""
        wave = resample_sinc_hann(wave_24k, 24000, 16000)
        spectrum = torch.stft(wave, 400, 160, 400, self._window_16k, center=True, return_complex=True)[:, :-1]
        log_mel = (self._filters_16k @ spectrum.abs().square()).clamp(min=1e-10).log10()
        log_mel = torch.maximum(log_mel, log_mel.max() - 8)
        return ((log_mel + 4) / 4).T

    def mel_and_pitch(self, wave_24k: Tensor) -> Tensor:
        """[2 n_tokens, 81]: natural-log mel (specification 7), then log F0 in Hz or 0 where unvoiced."""
        y = torch.nn.functional.pad(wave_24k[None, None], (720, 720), mode="reflect")[0, 0]
        spectrum = torch.stft(y, 1920, 480, 1920, self._window_24k, center=False, return_complex=True)
        power = spectrum.real.square() + spectrum.imag.square()
        mel = (self._filters_24k @ (power + 1e-9).sqrt()).clamp(min=1e-5).log()
        return torch.cat([mel, self._log_f0(power)[None]]).T

    def _log_f0(self, power: Tensor) -> Tensor:
        correlation = torch.fft.irfft(power, dim=0)
        low, high = int(24000 / F0_RANGE_HZ[1]), int(24000 / F0_RANGE_HZ[0])
        normal = correlation / self._window_correlation[:, None] * self._window_correlation[0]
        normal = normal[low:high] / normal[0].clamp(min=1e-3)
        # the shortest lag that comes near the best one, so that a multiple of the period isn't taken for it
        best = normal.max(0).values
        lag = low + (normal > 0.93 * best).float().argmax(0)
        peak = torch.arange(-6, 7)[:, None] + lag[None]
        peak = peak.clamp(low, high - 1)
        lag = peak.gather(0, normal.gather(0, peak - low).argmax(0)[None])[0]
        voiced = (best > 0.45) & (power.sum(0) > 1.0)
        return torch.where(voiced, (24000 / lag.float()).log(), torch.zeros(()))
