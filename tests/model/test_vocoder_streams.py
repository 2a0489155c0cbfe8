"""A mel spoken piece by piece is the mel spoken whole, however it is cut."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from glm_tts_api.model.checkpoint import Models, load_checkpoint
from glm_tts_api.model.mel import log_mel
from glm_tts_api.model.vocoder import HiFT, Vocoder, open_stream
from glm_tts_api.settings import BUNDLED_MODEL
from tests.recordings import voice

pytestmark = pytest.mark.usefixtures("one_thread")
CUTS = [[100], [7] * 15, [1] * 100, [30, 50, 20], [99, 1], [0, 60, 0, 40]]


def snr_db(found: Tensor, expected: Tensor) -> float:
    error = (found - expected).square().mean().clamp_min(1e-20)
    return float(10 * torch.log10(expected.square().mean() / error))


def said(vocoder: Vocoder, mel: Tensor, cut: Sequence[int]) -> list[Tensor]:
    """The waves of a mel that comes in pieces of so many frames, the rest as the last one."""
    stream = open_stream(vocoder, noise=5)
    pieces = [*mel.split([*cut, mel.shape[-1] - sum(cut)], -1)]
    return [stream.push(piece, last=index == len(cut)) for index, piece in enumerate(pieces)]


@pytest.fixture(scope="module")
def models() -> Models:
    return load_checkpoint(BUNDLED_MODEL, device=torch.device("cpu"))


@pytest.fixture
def hift(models: Models) -> HiFT:
    vocoder = models.vocoders[24000]
    assert isinstance(vocoder, HiFT)
    return vocoder


@pytest.fixture
def vocos2d(models: Models) -> Vocoder:
    return models.vocoders[32000]


def mel_of(rate: int) -> Tensor:
    return log_mel(torch.from_numpy(voice(2.4, rate)), rate)[None]


@pytest.mark.parametrize("cut", CUTS)
def test_hift_in_pieces_says_what_it_says_at_once(hift: HiFT, cut: list[int]) -> None:
    mel = mel_of(24000)
    whole = hift(mel, noise=5)
    wave = torch.cat(said(hift, mel, cut))
    assert len(wave) == len(whole)
    assert snr_db(wave, whole) > 60


@pytest.mark.parametrize("cut", CUTS)
def test_vocos2d_in_pieces_says_nearly_what_it_says_at_once(vocos2d: Vocoder, cut: list[int]) -> None:
    """The mini's stretches its filters over the length that it hears, so no part of it equals the whole."""
    mel = mel_of(32000)
    whole = vocos2d(mel, noise=5)
    wave = torch.cat(said(vocos2d, mel, cut))
    assert len(wave) == len(whole)
    assert snr_db(wave, whole) > 20


@pytest.mark.parametrize("rate", [24000, 32000])
def test_no_step_at_a_seam_is_larger_than_elsewhere(models: Models, rate: int) -> None:
    pieces = said(models.vocoders[rate], mel_of(rate), [25, 25, 25, 25])
    wave = torch.cat(pieces).numpy()
    seams = np.cumsum([len(piece) for piece in pieces])[:-1]
    steps = np.abs(np.diff(wave))
    assert max(steps[seam - 1] for seam in seams) <= steps.max()


def test_all_but_a_few_frames_leave_at_once(hift: HiFT) -> None:
    mel = mel_of(24000)
    first, *_, last = said(hift, mel, [36, 50])
    assert len(first) == (36 - 12) * 480
    assert len(last) > 0


def test_a_mel_shorter_than_what_is_held_back_leaves_with_its_end(hift: HiFT) -> None:
    mel = mel_of(24000)[..., :5]
    waves = said(hift, mel, [3])
    assert [len(wave) for wave in waves] == [0, 5 * 480]
