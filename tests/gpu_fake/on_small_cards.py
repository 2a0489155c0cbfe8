"""The official sizes on cards that are nearly too small, and on the second of two. Run by test_cards.py in a
process on the fake."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import torch

from bench.gpu_models import Bench
from bench.gpu_serving import Serving
from glm_tts_api.errors import StartupError, Unavailable
from glm_tts_api.model.placement import choose_precision
from tests.gpu_fake import card

GIB = float(os.environ["FAKE_GIB"])
DEVICE = card.begin(int(os.environ.get("FAKE_DEVICES", 1)) - 1)
ROWS = {11.6: 16, 14.6: 8, 23.6: 20}  # at least, with CUDA's context in 0.5 GiB


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    serving = Serving(Bench(DEVICE))
    yield serving
    serving.close()


@pytest.fixture(autouse=True)
def no_rule_is_broken() -> Iterator[None]:
    card.faults()
    yield
    assert card.faults() == []


def test_as_many_rows_as_fit_serve_the_longest_prompt_and_segment(serving: Serving) -> None:
    assert serving.core.in_use[2] >= ROWS[GIB]
    card.peak_gib(DEVICE.index)
    config = serving.bench.config
    sizes = {"n_ids": config.max_segment_ids, "n_prompt": config.longest_prompt}
    for streams in (False, True):
        assert serving.one(0, streams=streams, **sizes).audio_s > 60
    assert GIB - 0.5 - card.peak_gib(DEVICE.index) >= 1.0


@pytest.mark.skipif(GIB != 14.6, reason="has units for bfloat16")
def test_a_t4_takes_float32_and_refuses_bfloat16_and_fp8() -> None:
    assert choose_precision(DEVICE, n_weights=0, dtype="auto").dtype == torch.float32
    with pytest.raises(StartupError, match=r"has no units for bfloat16.* set DTYPE=auto"):
        choose_precision(DEVICE, n_weights=0, dtype="bf16")
    with pytest.raises(StartupError, match=r"for GPUs with units for FP8 .* set DTYPE=auto"):
        choose_precision(DEVICE, n_weights=0, dtype="fp8")


@pytest.mark.skipif(DEVICE.index == 0, reason="one card")
def test_an_engine_on_the_second_card_leaves_the_first_alone(serving: Serving) -> None:
    assert serving.one(0).audio_s > 1
    assert card.has_context(DEVICE.index)
    assert not card.has_context(DEVICE.index - 1)


def test_a_request_that_meets_a_full_card_fails_alone(serving: Serving) -> None:
    """Another program has taken what was free."""
    torch.cuda.empty_cache()
    sizes = {"n_ids": 100, "n_prompt": 750}
    card.set_memory(card.used_gib(DEVICE.index) + 0.51)
    with pytest.raises(Unavailable):
        serving.one(1, streams=False, **sizes)
    card.set_memory(GIB)
    assert serving.one(1, streams=False, **sizes).audio_s > 60
