"""A mel spoken piece by piece is the mel spoken whole, however it is cut."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from glm_tts_api.model.buckets import FRAME_MULTIPLE
from glm_tts_api.model.checkpoint import Models, load_checkpoint
from glm_tts_api.model.mel import log_mel
from glm_tts_api.model.vocoder import Vocoder, open_stream, streams
from glm_tts_api.settings import BUNDLED_MODEL
from tests.recordings import voice

pytestmark = pytest.mark.usefixtures("one_thread")
CUTS = [[7] * 15, [99, 1], [0, 60, 0, 40]]


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


def mel_of(rate: int) -> Tensor:
    return log_mel(torch.from_numpy(voice(2.4, rate)), rate)[None]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize(("rate", "least_db"), [(24000, 60), (32000, 20)])
def test_in_pieces_it_says_what_it_says_at_once(
    models: Models, rate: int, least_db: float, cut: list[int]
) -> None:
    """The mini's Vocos2D stretches its filters over the length that it hears, so no part of it equals the
    whole. No step at a seam is larger than elsewhere."""
    vocoder, mel = models.vocoders[rate], mel_of(rate)
    whole, pieces = vocoder(mel, noise=5), said(vocoder, mel, cut)
    wave = torch.cat(pieces)
    assert len(wave) == len(whole)
    assert snr_db(wave, whole) > least_db
    steps = np.abs(np.diff(wave.numpy()))
    seams = [seam for seam in np.cumsum([len(piece) for piece in pieces])[:-1] if seam]
    assert max(steps[seam - 1] for seam in seams) <= steps.max()


def test_on_a_gpu_a_long_mel_is_spoken_in_pieces_of_the_graphs_lengths(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    vocoder, mel = models.vocoders[24000], mel_of(24000)
    whole = vocoder(mel, noise=5)
    monkeypatch.setitem(FRAME_MULTIPLE, "cpu", FRAME_MULTIPLE["cuda"])
    monkeypatch.setattr(streams, "_LONGEST_PIECE", 50)
    (wave,) = said(vocoder, mel, [])
    assert snr_db(wave, whole) > 60


def test_all_but_a_few_frames_leave_at_once_and_a_short_mel_with_its_end(models: Models) -> None:
    hift, mel = models.vocoders[24000], mel_of(24000)
    first, *_, last = said(hift, mel, [36, 50])
    assert len(first) == (36 - 12) * 480
    assert len(last) > 0
    assert [len(wave) for wave in said(hift, mel[..., :5], [3])] == [0, 5 * 480]
