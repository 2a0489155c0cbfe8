"""What DEVICE and DTYPE come to on a machine."""

from __future__ import annotations

import pytest
import torch

from glm_tts_api.errors import StartupError
from glm_tts_api.model.placement import Placement, choose_placement

N_GPUS = torch.cuda.device_count()


def test_the_cpu_runs_in_float32_unless_bf16_is_asked_for() -> None:
    assert choose_placement("cpu", "auto") == Placement(torch.device("cpu"), torch.float32)
    assert choose_placement("cpu", "fp32").llm_dtype == torch.float32
    assert choose_placement("cpu", "bf16").llm_dtype == torch.bfloat16


@pytest.mark.skipif(N_GPUS > 0, reason="has a GPU")
def test_auto_without_a_gpu_is_the_cpu() -> None:
    assert choose_placement("auto", "auto", slot=3) == Placement(torch.device("cpu"), torch.float32)


@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
@pytest.mark.skipif(N_GPUS > 0, reason="has a GPU")
def test_a_gpu_that_is_not_there_is_one_clear_error(device: str) -> None:
    with pytest.raises(StartupError, match=rf"^DEVICE='{device}': PyTorch sees no GPU"):
        choose_placement(device, "auto")


@pytest.mark.gpu
@pytest.mark.skipif(N_GPUS == 0, reason="needs a GPU")
def test_workers_are_spread_over_the_gpus() -> None:
    for slot in range(2 * N_GPUS):
        placement = choose_placement("auto", "auto", slot=slot)
        assert placement == Placement(torch.device("cuda", slot % N_GPUS), torch.bfloat16)
    assert choose_placement("cuda:0", "fp32", slot=1) == Placement(torch.device("cuda", 0), torch.float32)
    with pytest.raises(StartupError):
        choose_placement(f"cuda:{N_GPUS}", "auto")
