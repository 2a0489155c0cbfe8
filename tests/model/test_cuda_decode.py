"""The GPU's decode step, here on the CPU as plain tensor code; captured for real where there is a GPU."""

from __future__ import annotations

import pytest
import torch

from glm_tts_api.model.cuda_decode import CudaDecodeStep
from glm_tts_api.model.decode_step import CpuDecodeStep, DecodeStep
from tests.model import tiny_decode
from tests.model.tiny_decode import (
    END,
    SLOT_LENGTH,
    VOCABULARY,
    assert_same,
    cache_of,
    likeliest,
    prompt,
    runner_of,
)

pytestmark = pytest.mark.usefixtures("inference")


@pytest.mark.parametrize("slots", [[0], [0, 1], [4, 2, 0], [5, 3, 1, 4, 0, 2]])
def test_the_gpu_step_computes_what_the_cpu_step_does(slots: list[int]) -> None:
    runner = runner_of()
    ours, plain = cache_of(runner), cache_of(runner)
    found = tiny_decode.decode(runner, ours, CudaDecodeStep(runner, ours, end=END), slots)
    assert_same(found, tiny_decode.decode(runner, plain, CpuDecodeStep(runner, plain, end=END), slots))


def test_slots_without_a_row_keep_what_they_hold_for_their_next_step() -> None:
    """Slot 1 has read its prompt, and others decode before it does."""
    runner = runner_of()
    ours, plain = cache_of(runner), cache_of(runner)
    decode = CudaDecodeStep(runner, ours, end=END)
    runner.prefill(prompt(1), cache=ours, slot=1)
    tiny_decode.decode(runner, ours, decode, [0, 2])
    found = decode([likeliest(1, 5, len(prompt(1)))])
    runner.prefill(prompt(1), cache=plain, slot=1)
    expected = CpuDecodeStep(runner, plain, end=END)([likeliest(1, 5, len(prompt(1)))])
    assert_same({1: found}, {1: expected})


def test_a_slot_may_be_filled_to_its_last_position_beside_idle_ones() -> None:
    runner = runner_of()
    ours, plain = cache_of(runner), cache_of(runner)
    decodes: list[DecodeStep] = [CudaDecodeStep(runner, ours, end=END), CpuDecodeStep(runner, plain, end=END)]
    found = []
    for cache, decode in zip((ours, plain), decodes, strict=True):
        ids = torch.arange(SLOT_LENGTH - 2) % VOCABULARY
        runner.prefill(ids, cache=cache, slot=1)
        decode([likeliest(3, 8, 0)])  # slot 1 is idle
        decode([likeliest(1, 9, SLOT_LENGTH - 2)])
        found.append({1: decode([likeliest(1, 10, SLOT_LENGTH - 1)])})
    assert_same(*found)
    with pytest.raises(ValueError, match="641 positions do not fit a slot of 640"):
        decodes[0]([likeliest(1, 5, SLOT_LENGTH)])


def test_a_cleared_slot_forgets_what_was_not_finite() -> None:
    runner = runner_of()
    cache = cache_of(runner)
    cache.keys[:, 0, :, 300:] = torch.inf
    cache.values[:, 0, :, 300:] = torch.nan
    cache.clear(0)
    (drawn,) = CudaDecodeStep(runner, cache, end=END)([likeliest(0, 5, 3)])
    assert torch.tensor(drawn.log_prob).isfinite()
