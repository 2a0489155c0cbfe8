"""The vocoders' behaviour; HiFT's numbers are pinned by the golden vectors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from glm_tts_api.model.buckets import FRAME_MULTIPLE
from glm_tts_api.model.graphs import GraphPool
from glm_tts_api.model.vocoder import HiFT, HiftConfig, Vocos2D
from glm_tts_api.model.vocoder.stft import PaddedSTFT
from glm_tts_api.model.vocoder.vocos2d import MEL_OFFSET
from scripts.checks.parity.components import run_file

pytestmark = pytest.mark.usefixtures("one_thread")
GOLDEN = Path(__file__).parents[1] / "golden" / "data"
SMALL = HiftConfig(base_channels=16, f0_channels=8)


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _new_hift() -> HiFT:
    torch.manual_seed(0)
    return HiFT(SMALL)


@pytest.fixture(scope="module")
def hift() -> HiFT:
    return _new_hift().fold()


def _mel(frames: int, batch: int = 1) -> Tensor:
    return torch.randn(batch, 80, frames, generator=_seeded(frames)) - 5


@pytest.fixture
def padded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU."""
    for device in ("cpu", "meta"):
        monkeypatch.setitem(FRAME_MULTIPLE, device, FRAME_MULTIPLE["cuda"])


@pytest.mark.parametrize("frames", [1, 33, 64, 65])
def test_over_a_gpus_padded_lengths_it_says_the_same_to_the_end(
    hift: HiFT, monkeypatch: pytest.MonkeyPatch, frames: int
) -> None:
    mel = _mel(frames, batch=2)
    expected = hift.synthesize(mel, [_seeded(1), _seeded(2)])
    monkeypatch.setitem(FRAME_MULTIPLE, "cpu", FRAME_MULTIPLE["cuda"])
    wave = hift.synthesize(mel, [_seeded(1), _seeded(2)])
    torch.testing.assert_close(wave, expected, atol=1e-4, rtol=0)


@pytest.mark.usefixtures("padded")
def test_the_goldens_hold_over_a_gpus_padded_lengths() -> None:
    results = list(run_file(GOLDEN / "hift_tiny.npz"))
    assert results
    assert [result.line() for result in results if result.verdict != "PASS"] == []


@pytest.mark.parametrize("samples", [16, 480, 4800])
@pytest.mark.parametrize("behind", [0, 480])
def test_the_padded_transforms_are_torchs(samples: int, behind: int) -> None:
    ours, window, end = PaddedSTFT(), torch.hann_window(16), torch.tensor(samples)
    wave = torch.randn(2, samples + behind, generator=_seeded(samples))
    expected = torch.stft(wave[:, :samples], 16, 4, 16, window, return_complex=True)
    spectrum = ours.spectrum(wave, end)
    columns = expected.shape[-1]
    parts = torch.cat([expected.real, expected.imag], 1)
    torch.testing.assert_close(spectrum[..., :columns], parts, atol=1e-5, rtol=0)
    assert not spectrum[..., columns:].any()

    noisy = torch.randn(2, 18, (samples + behind) // 4 + 1, generator=_seeded(1))
    real, imaginary = noisy[..., :columns].chunk(2, 1)
    inverse = torch.istft(torch.complex(real, imaginary), 16, 4, 16, window)
    torch.testing.assert_close(ours.wave(noisy, end)[:, :samples], inverse, atol=1e-5, rtol=0)


@pytest.mark.usefixtures("padded")
def test_captured_calls_say_what_others_do_and_keep_nothing_of_one_another() -> None:
    """On a CPU a captured call is the same code over tensors that it keeps, as a graph has them."""
    plain, captured = _new_hift().fold(), _new_hift().fold()
    captured.capture(GraphPool(torch.device("cpu")), [64, 128])
    for frames in (64, 100, 130):
        mel = _mel(frames)
        assert torch.equal(captured(mel, noise=frames), plain(mel, noise=frames))
    first, again = captured(_mel(20), noise=1), captured(_mel(30), noise=2)
    assert torch.equal(first, plain(_mel(20), noise=1)), "the second call must not write into the first one's"
    assert torch.equal(again, plain(_mel(30), noise=2))
    assert len(captured.graphs.captured) == 2


def test_sizes_come_from_config_json(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"base_channels": 128, "f0_channels": 64, "note": "small"}))
    assert HiftConfig.from_json(path) == HiftConfig(128, 64)
    assert HiftConfig() == HiftConfig(512, 512)
    with pytest.raises(ValueError, match="base_channels"):
        HiftConfig(base_channels=100)


class _Ramp(nn.Module):
    """Meets the contract: [B, T, 80] -> [B, 640 T]; says every frame's first bin, with a weight."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(0.5))

    def forward(self, mel: Tensor) -> Tensor:
        return (mel[:, :, 0] * self.gain * 0.01).repeat_interleave(640, 1)


@pytest.mark.parametrize("frames", [1, 7])
def test_a_vocos2d_stored_in_half_precision_is_called_as_its_contract_says_in_float32(
    tmp_path: Path, frames: int
) -> None:
    torch.jit.script(_Ramp().half()).save(str(tmp_path / "generator_jit.ckpt"))
    vocoder, mel = Vocos2D.load(tmp_path / "generator_jit.ckpt"), _mel(frames)
    wave = vocoder(mel, noise=_seeded(0))
    assert (vocoder.sample_rate, vocoder.hop) == (32000, 640)
    torch.testing.assert_close(wave, ((mel[0, 0] + MEL_OFFSET) * 0.005).repeat_interleave(640))
