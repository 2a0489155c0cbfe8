"""Noise by place: what a span draws does not depend on where it begins or ends."""

from __future__ import annotations

import pytest
import torch

from glm_tts_api.model.placed_noise import BLOCK_FRAMES, placed_noise

WHOLE = placed_noise(42, 0, 300, per_frame=(80,))


@pytest.mark.parametrize(
    ("start", "end"), [(0, 1), (0, 64), (63, 65), (10, 200), (64, 128), (299, 300), (7, 7)]
)
def test_a_span_draws_what_the_whole_does(start: int, end: int) -> None:
    assert torch.equal(placed_noise(42, start, end, per_frame=(80,)), WHOLE[start:end])


def test_it_is_standard_normal_and_no_two_blocks_or_seeds_are_alike() -> None:
    assert abs(float(WHOLE.mean())) < 0.03
    assert abs(float(WHOLE.std()) - 1) < 0.03
    blocks = [WHOLE[at : at + BLOCK_FRAMES] for at in (0, 64, 128, 192)]
    others = [placed_noise(seed, 0, BLOCK_FRAMES, per_frame=(80,)) for seed in (43, 2**64 - 1)]
    found = torch.stack([*blocks, *others]).flatten(1)
    correlation = torch.corrcoef(found) - torch.eye(len(found))
    assert correlation.abs().max() < 0.06
