"""Computes the features that the networks are trained on, as the server does, for whole trimmed utterances.

One speech token covers 40 ms = 960 samples at 24 kHz = 2 mel frames = 4 Whisper frames. Waves are padded to
whole speech tokens.
"""

import numpy as np
import numpy.typing as npt
import scipy
import torch
from torch import Tensor

from glm_tts_api.model.mel import resample, slaney_filterbank

TOKEN_SAMPLES = 960
N_MEL, N_WHISPER = 80, 80
F0_RANGE_HZ = (55.0, 420.0)
FMAX_HZ = 8000.0


class FeatureExtractor:
    """Computes the Whisper log-mel (16 kHz), and the synthesis mel (24 kHz) with the pitch of each frame."""

    def __init__(self) -> None:
        self._filters_24k = slaney_filterbank(N_MEL, 1920, 24000, FMAX_HZ)
        self._filters_16k = slaney_filterbank(N_WHISPER, 400, 16000, FMAX_HZ)
        self._window_24k = torch.hann_window(1920)
        self._window_16k = torch.hann_window(400)
        window_power = torch.fft.rfft(self._window_24k).abs().square()
        self._window_correlation = torch.fft.irfft(window_power)

    def prepare(self, wave: npt.NDArray[np.int16]) -> Tensor:
        """Converts int16 samples at 22.05 kHz to float at 24 kHz, zero-padded to whole speech tokens."""
        y = scipy.signal.resample_poly(wave.astype(np.float32) / 32768, 160, 147).astype(np.float32)
        y = np.pad(y, (0, -len(y) % TOKEN_SAMPLES)).clip(-1, 1)
        return torch.from_numpy(y)

    def whisper(self, wave_24k: Tensor) -> Tensor:
        """Returns [4 n_tokens, 80], as transformers' WhisperFeatureExtractor computes them."""
        wave = resample(wave_24k, 24000, 16000)
        spectrum = torch.stft(wave, 400, 160, 400, self._window_16k, center=True, return_complex=True)[:, :-1]
        log_mel = (self._filters_16k @ spectrum.abs().square()).clamp(min=1e-10).log10()
        log_mel = torch.maximum(log_mel, log_mel.max() - 8)
        return ((log_mel + 4) / 4).T

    def mel_and_pitch(self, wave_24k: Tensor) -> Tensor:
        """Returns [2 n_tokens, 81]: the natural-log mel (docs/model.md 7), then log F0 or 0 (unvoiced)."""
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
        # take the shortest lag with nearly the best correlation, and not a multiple of the pitch period
        best = normal.max(0).values
        lag = low + (normal > 0.93 * best).float().argmax(0)
        peak = torch.arange(-6, 7)[:, None] + lag[None]
        peak = peak.clamp(low, high - 1)
        lag = peak.gather(0, normal.gather(0, peak - low).argmax(0)[None])[0]
        voiced = (best > 0.45) & (power.sum(0) > 1.0)
        return torch.where(voiced, (24000 / lag.float()).log(), torch.zeros(()))
