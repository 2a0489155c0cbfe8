"""The recogniser of Chinese phones: shapes, padding, and what it makes of its classes."""

import numpy as np
import torch

from scripts.mini.phone_recogniser import LogMel, PhoneRecogniser, RecogniserConfig, edit_distance

CONFIG = RecogniserConfig(phones=("a", "n", "X"), width=32, dilations=(1, 2))


def test_padding_does_not_change_what_is_heard() -> None:
    torch.manual_seed(0)
    model = PhoneRecogniser(CONFIG).eval()
    short, long = torch.randn(41, 80), torch.randn(90, 80)
    batch = torch.zeros(2, 90, 80)
    batch[0, :41], batch[1] = short, long
    scores = model(batch, torch.tensor([41, 90]))
    alone = model(short[None], torch.tensor([41]))
    assert alone.shape == (1, 21, 4)
    torch.testing.assert_close(scores[0, :21], alone[0])


def test_frames_come_every_ten_milliseconds_whatever_the_level() -> None:
    wave = torch.from_numpy(np.random.default_rng(0).standard_normal(16000).astype(np.float32)) * 0.1
    loud, quiet = LogMel()(wave), LogMel()(wave * 0.1)
    assert loud.shape == (101, 80)
    torch.testing.assert_close(loud - 2, quiet, atol=1e-3, rtol=0)


def test_edit_distance_counts_each_kind_of_error_once() -> None:
    assert edit_distance(["n", "i", "X", "Au"], ["n", "i", "X", "Au"]) == 0
    assert edit_distance(["n", "i", "X", "Au"], ["n", "y", "X", "Au", "s"]) == 2
    assert edit_distance(["n", "i", "X", "Au"], []) == 4
