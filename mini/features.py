"""Computes the features that the networks are trained on, as the server does, for whole trimmed utterances.

One speech token covers 40 ms = 960 samples at 24 kHz = 2 mel frames = 4 Whisper frames. Waves are padded to
whole speech tokens.
"""

import torch
from torch import Tensor

from glm_tts_api.model.mel import hann, log_mel, resample
from glm_tts_api.model.speech_tokenizer import WhisperFeatures

TOKEN_SAMPLES = 960
N_MEL, N_WHISPER = 80, 80
F0_RANGE_HZ = (55.0, 420.0)
_N_FFT, _HOP = 1920, 480


def whisper_features(wave_24k: Tensor) -> Tensor:
    """Returns the Whisper log-mel [4 n_tokens, 80] of a wave at 24 kHz."""
    features, _ = WhisperFeatures().extract([resample(wave_24k, 24000, 16000)], multiple=640)
    return features[0].T


def mel_and_pitch(wave_24k: Tensor) -> Tensor:
    """Returns [2 n_tokens, 81]: the natural-log mel (docs/model.md 7), then log F0 or 0 (unvoiced)."""
    return torch.cat([log_mel(wave_24k, 24000), _log_f0(wave_24k)[None]]).T


def _log_f0(wave_24k: Tensor) -> Tensor:
    window, edge = hann(_N_FFT, wave_24k.device), (_N_FFT - _HOP) // 2
    wave = torch.nn.functional.pad(wave_24k[None, None], (edge, edge), mode="reflect")[0, 0]
    power = torch.stft(wave, _N_FFT, _HOP, window=window, center=False, return_complex=True).abs().square()
    of_window = torch.fft.irfft(torch.fft.rfft(window).abs().square())
    normal = torch.fft.irfft(power, dim=0) / of_window[:, None] * of_window[0]
    low, high = int(24000 / F0_RANGE_HZ[1]), int(24000 / F0_RANGE_HZ[0])
    normal = normal[low:high] / normal[0].clamp(min=1e-3)
    # take the shortest lag with nearly the best correlation, and not a multiple of the pitch period
    best = normal.max(0).values
    lag = low + (normal > 0.93 * best).float().argmax(0)
    peak = torch.arange(-6, 7)[:, None] + lag[None]
    peak = peak.clamp(low, high - 1)
    lag = peak.gather(0, normal.gather(0, peak - low).argmax(0)[None])[0]
    voiced = (best > 0.45) & (power.sum(0) > 1.0)
    return torch.where(voiced, (24000 / lag.float()).log(), torch.zeros(()))
