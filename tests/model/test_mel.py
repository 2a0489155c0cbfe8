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


@pytest.mark.parametrize(("sr_in", "sr_out"), [(44100, 16000), (22050, 24000), (24000, 32000), (8000, 16000)])
def test_resampling_keeps_a_tone(sr_in: int, sr_out: int) -> None:
    out = resample(_tone(440, sr_in), sr_in, sr_out)
    assert out.shape == (sr_out,)
    middle = slice(sr_out // 4, 3 * sr_out // 4)
    torch.testing.assert_close(out[middle], _tone(440, sr_out)[middle], atol=3e-3, rtol=0)


def test_resampling_removes_what_the_lower_rate_cannot_hold() -> None:
    assert resample(_tone(11000, 24000), 24000, 16000)[200:-200].abs().max() < 3e-3


def test_resampling_of_channels_is_that_of_each_alone() -> None:
    stereo = torch.stack([_tone(300, 44100), _tone(900, 44100)])
    together = resample(stereo, 44100, 16000)
    for row, alone in zip(together, stereo, strict=True):
        torch.testing.assert_close(row, resample(alone, 44100, 16000), atol=1e-6, rtol=0)


def test_equal_rates_leave_the_signal_as_it_is() -> None:
    wave = _tone(440, 16000)
    assert resample(wave, 16000, 16000) is wave


@pytest.mark.parametrize(
    ("n_mels", "n_fft", "rate"), [(80, 1920, 24000), (80, 2560, 32000), (128, 400, 16000)]
)
def test_filterbank_equals_transformers(n_mels: int, n_fft: int, rate: int) -> None:
    from transformers.audio_utils import mel_filter_bank

    theirs = mel_filter_bank(n_fft // 2 + 1, n_mels, 0.0, 8000.0, rate, norm="slaney", mel_scale="slaney")
    ours = slaney_filterbank(n_mels, n_fft, rate, 8000.0)
    np.testing.assert_allclose(ours.numpy(), theirs.T, atol=1e-6)


def test_both_rates_see_the_same_tone_in_the_same_bin() -> None:
    """One after the other in one process: filters and windows must not be mixed up between rates."""
    mels = {rate: log_mel(_tone(1000, rate), rate) for rate in (24000, 32000, 24000)}
    assert {mel.shape for mel in mels.values()} == {(80, 50)}
    peaks = {rate: mel.mean(1).argmax().item() for rate, mel in mels.items()}
    assert peaks[24000] == peaks[32000]
    torch.testing.assert_close(mels[24000], mels[32000], atol=0.35, rtol=0)  # the sums grow with the FFT


def test_rows_are_independent_and_extra_samples_are_dropped() -> None:
    waves = torch.stack([_tone(200, 24000), _tone(700, 24000)])[:, :10_000]
    mels = log_mel(waves, 24000)
    assert mels.shape == (2, 80, 10_000 // 480)
    torch.testing.assert_close(mels[1], log_mel(waves[1], 24000))


def test_digital_silence_is_the_floor() -> None:
    mel = log_mel(torch.zeros(4800), 24000)
    assert torch.isfinite(mel).all()
    assert mel.max() < -7


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
