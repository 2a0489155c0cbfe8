"""Computes the log-mel features for the speech tokenizer (docs/model.md 5). The features are equal, to the
last bit, to those of transformers' WhisperFeatureExtractor, whose import would make an engine's start a
second longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.model.mel import FMAX, slaney_filterbank

SAMPLE_RATE = 16000
_POWER_FLOOR = 1e-10
_RANGE = 8.0  # log10 units: values further than this below the largest value are raised to that limit


@dataclass(frozen=True, slots=True)
class WhisperFeatures:
    """The settings of the features, from preprocessor_config.json. `n_fft` and `hop_length` are in samples,
    `chunk_length` is in seconds."""

    feature_size: int = 80
    n_fft: int = 400
    hop_length: int = 160
    chunk_length: int = 30
    sampling_rate: int = SAMPLE_RATE
    padding_value: float = 0.0
    dither: float = 0.0

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> WhisperFeatures:
        """Makes the settings from the content of preprocessor_config.json. Raises ValueError for a setting
        that is not supported."""
        features = cls(**{item.name: raw[item.name] for item in fields(cls) if item.name in raw})
        for name in ("feature_size", "n_fft", "hop_length", "chunk_length"):
            if not isinstance(value := getattr(features, name), int) or value < 1:
                raise ValueError(f"{name} must be a positive integer, got {value!r}")
        for name in ("sampling_rate", "padding_value", "dither"):
            if (value := getattr(features, name)) != (only := getattr(cls(), name)):
                raise ValueError(f"{name} must be {only}, got {value!r}")
        return features

    @property
    def n_samples(self) -> int:
        """The number of samples of the longest piece."""
        return self.chunk_length * self.sampling_rate

    def extract(self, waves: Sequence[Tensor], *, multiple: int) -> tuple[Tensor, Tensor]:
        """Computes the features of B pieces of 16 kHz audio, float32 [N] on the CPU. Returns the features
        [B, feature_size, F] float32, and a mask [B, F] bool that is True on real frames.

        All pieces are padded with zeros to the length of the longest one, rounded up to a multiple of
        `multiple` samples.
        """
        longest = max(len(wave) for wave in waves)
        n = longest + -longest % multiple
        padded = torch.stack([F.pad(wave, (0, n - len(wave))) for wave in waves])  # [B, n]
        n_frames = n // self.hop_length
        filters, window = _filters(self.feature_size, self.n_fft), _hann(self.n_fft)
        spectrum = torch.stft(padded, self.n_fft, self.hop_length, window=window, return_complex=True)
        power = (spectrum[..., :-1].abs() ** 2).contiguous()  # [B, n_fft / 2 + 1, F]
        log_mel = (filters.T @ power).clamp(min=_POWER_FLOOR).log10()
        log_mel = torch.maximum(log_mel, log_mel.amax((1, 2), keepdim=True) - _RANGE)
        starts = torch.arange(n_frames) * self.hop_length
        mask = starts < torch.tensor([[len(wave)] for wave in waves])
        return (log_mel + 4.0) / 4.0, mask


@lru_cache(maxsize=4)
@torch.inference_mode(False)
def _filters(n_mels: int, n_fft: int) -> Tensor:
    """Returns the mel filters as [n_fft / 2 + 1, n_mels]. With this order of dimensions the product has the
    same bits as in transformers."""
    return slaney_filterbank(n_mels, n_fft, SAMPLE_RATE, FMAX).T.contiguous()


@lru_cache(maxsize=4)
@torch.inference_mode(False)
def _hann(n_fft: int) -> Tensor:
    return torch.hann_window(n_fft)
