"""Resampling and mel spectrograms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from glm_tts_api.model.mel import log_mel, resample, slaney_filterbank


def _tone(hz: float, sample_rate: int, seconds: float = 1.0) -> torch.Tensor:
    t = torch.arange(int(sample_rate * seconds), dtype=torch.float64) / sample_rate
    return (0.5 * torch.sin(2 * math.pi * hz * t)).float()


@pytest.mark.parametrize(
    ("n_mels", "n_fft", "rate"), [(80, 1920, 24000), (80, 2560, 32000), (128, 400, 16000)]
)
def test_filterbank_equals_transformers(n_mels: int, n_fft: int, rate: int) -> None:
    from transformers.audio_utils import mel_filter_bank

    theirs = mel_filter_bank(n_fft // 2 + 1, n_mels, 0.0, 8000.0, rate, norm="slaney", mel_scale="slaney")
    ours = slaney_filterbank(n_mels, n_fft, rate, 8000.0)
    np.testing.assert_allclose(ours.numpy(), theirs.T, atol=1e-6)


def test_a_loss_can_use_filters_that_inference_made_first() -> None:
    with torch.inference_mode():
        log_mel(torch.zeros(9600), 32000)
        resample(torch.zeros(100), 12345, 16000)
    wave = _tone(300, 12345).requires_grad_()
    log_mel(resample(wave, 12345, 32000), 32000).sum().backward()
    assert wave.grad is not None


@pytest.mark.parametrize(("n", "rate"), [(24000, 16000), (720, 24000)])
def test_what_has_no_mel_is_refused(n: int, rate: int) -> None:
    with pytest.raises(ValueError, match="log_mel"):
        log_mel(torch.zeros(n), rate)
