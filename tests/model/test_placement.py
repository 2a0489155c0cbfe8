"""What DEVICE, DTYPE and WEIGHTS come to on a machine."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from glm_tts_api.errors import StartupError
from glm_tts_api.model.placement import Dtype, Precision, choose_device, choose_precision

N_GPUS = torch.cuda.device_count()
CPU, SMALL, LARGE = torch.device("cpu"), 8_000_000, 1_500_000_000


def _dtype(dtype: Dtype, n_weights: int, device: torch.device = CPU) -> torch.dtype:
    return choose_precision(device, n_weights=n_weights, dtype=dtype, weights="full").dtype


def test_the_dtype_asked_for_is_taken() -> None:
    for n_weights in (SMALL, LARGE):
        assert _dtype("fp32", n_weights) == torch.float32
        assert _dtype("bf16", n_weights) == torch.bfloat16


def test_a_small_model_runs_in_float32_on_any_cpu() -> None:
    assert _dtype("auto", SMALL) == torch.float32


def test_a_large_model_runs_in_bf16_where_the_cpu_has_units_for_it() -> None:
    flags = set(Path("/proc/cpuinfo").read_text(encoding="ascii").split())
    expected = torch.bfloat16 if flags & {"amx_bf16", "avx512_bf16"} else torch.float32
    assert _dtype("auto", LARGE) == expected


def test_8_bit_weights_are_for_the_cpu() -> None:
    precision = choose_precision(CPU, n_weights=SMALL, dtype="fp32", weights="int8")
    assert precision == Precision(torch.float32, int8=True)
    precision = choose_precision(CPU, n_weights=LARGE, dtype="auto", weights="int8")
    assert precision == Precision(torch.float32, int8=True), "quicker so, whatever the CPU's units"
    with pytest.raises(StartupError, match=r"^WEIGHTS='int8' is for the CPU"):
        choose_precision(torch.device("cuda", 0), n_weights=LARGE, dtype="auto", weights="int8")


@pytest.mark.skipif(N_GPUS > 0, reason="has a GPU")
def test_auto_without_a_gpu_is_the_cpu() -> None:
    assert choose_device("auto", slot=3) == CPU


@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
@pytest.mark.skipif(N_GPUS > 0, reason="has a GPU")
def test_a_gpu_that_is_not_there_is_one_clear_error(device: str) -> None:
    with pytest.raises(StartupError, match=rf"^DEVICE='{device}': PyTorch sees no GPU"):
        choose_device(device)


@pytest.mark.gpu
@pytest.mark.skipif(N_GPUS == 0, reason="needs a GPU")
def test_workers_are_spread_over_the_gpus() -> None:
    for slot in range(2 * N_GPUS):
        device = choose_device("auto", slot=slot)
        assert device == torch.device("cuda", slot % N_GPUS)
        assert _dtype("auto", SMALL, device) == torch.bfloat16
    assert choose_device("cuda:0", slot=1) == torch.device("cuda", 0)
    with pytest.raises(StartupError):
        choose_device(f"cuda:{N_GPUS}")
