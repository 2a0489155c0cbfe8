"""What DEVICE and DTYPE come to on a machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from glm_tts_api.cli import main
from glm_tts_api.contracts import Dtype
from glm_tts_api.errors import StartupError
from glm_tts_api.model.linear import Fp8Linear, Int8Linear
from glm_tts_api.model.placement import (
    Precision,
    choose_device,
    choose_precision,
    explain,
    flow_in_bf16,
    n_sharing,
    placement_warnings,
)
from tests.this_cpu import HAS_BF16_UNITS

N_GPUS = torch.cuda.device_count()
CPU, SMALL, LARGE = torch.device("cpu"), 8_000_000, 1_500_000_000


def _dtype(dtype: Dtype, n_weights: int, device: torch.device = CPU) -> torch.dtype:
    return choose_precision(device, n_weights=n_weights, dtype=dtype).dtype


def test_the_dtype_asked_for_is_taken_else_a_large_model_is_in_bf16_where_the_cpu_has_units_for_it() -> None:
    for n_weights in (SMALL, LARGE):
        assert _dtype("fp32", n_weights) == torch.float32
        assert _dtype("bf16", n_weights) == torch.bfloat16
    assert _dtype("auto", SMALL) == torch.float32
    assert _dtype("auto", LARGE) == (torch.bfloat16 if HAS_BF16_UNITS else torch.float32)
    assert [placement_warnings("cpu", dtype=dtype) for dtype in ("fp32", "auto")] == [[], []]


def test_bf16_on_a_cpu_without_units_for_it_is_a_warning_that_says_what_to_set(
    tmp_path: Path,
) -> None:
    """Told to use no AVX-512, PyTorch is as on a CPU that has none."""
    done = subprocess.run(
        [sys.executable, "-m", "glm_tts_api", "check", "checkpoint"],
        cwd=tmp_path,
        env={**os.environ, "DEVICE": "cpu", "DTYPE": "bf16", "ATEN_CPU_CAPABILITY": "avx2"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, "slow, but not wrong"
    assert done.stderr.splitlines() == [
        "WARNING: DTYPE=bf16 is several times slower than fp32 on this CPU, "
        "which has no units for bfloat16 (avx512_bf16 or amx_bf16): set DTYPE=auto."
    ]


def test_8_bit_weights_are_for_the_cpu() -> None:
    for n_weights in (SMALL, LARGE):
        precision = choose_precision(CPU, n_weights=n_weights, dtype="int8")
        assert precision == Precision(torch.float32, Int8Linear), "quicker so, whatever the CPU's units"
    with pytest.raises(StartupError, match=r"^DTYPE='int8' is for the CPU"):
        choose_precision(torch.device("cuda", 0), n_weights=LARGE, dtype="int8")


def test_fp8_is_for_gpus_with_units_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    a_gpu, capability = torch.device("cuda", 0), [8, 0]
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: tuple(capability))
    for device in (CPU, a_gpu):
        with pytest.raises(
            StartupError, match=rf"^DTYPE='fp8' is for GPUs .*{device} is none: set DTYPE=auto"
        ):
            choose_precision(device, n_weights=LARGE, dtype="fp8")
    capability[1] = 9
    assert choose_precision(a_gpu, n_weights=LARGE, dtype="fp8") == Precision(torch.bfloat16, Fp8Linear)


def test_beside_8_bit_weights_the_flow_is_in_bf16_where_the_device_has_units_for_it() -> None:
    assert flow_in_bf16("int8") == HAS_BF16_UNITS
    assert [flow_in_bf16(dtype) for dtype in ("bf16", "fp8", "fp32", "auto")] == [True, True, False, False]


@pytest.mark.parametrize(
    ("asked", "n_engines", "n_gpus", "sharing"),
    [
        ("auto", 1, 1, [1]),
        ("cuda", 2, 1, [2]),
        ("auto", 2, 2, [1, 1]),
        ("auto", 5, 2, [3, 2]),
        ("cuda:0", 3, 2, [3]),
    ],
)
def test_engines_share_a_faked_gpu_that_was_named_or_taken_in_turn(
    monkeypatch: pytest.MonkeyPatch, asked: str, n_engines: int, n_gpus: int, sharing: list[int]
) -> None:
    monkeypatch.setattr("glm_tts_api.model.placement.n_gpus", lambda: n_gpus)
    found = [
        n_sharing(torch.device("cuda", index), asked, n_engines=n_engines) for index in range(len(sharing))
    ]
    assert found == sharing


@pytest.mark.skipif(N_GPUS > 0, reason="has a GPU")
def test_without_a_gpu_auto_is_the_cpu_and_a_gpu_is_one_clear_error() -> None:
    assert choose_device("auto", nth=3) == CPU
    for device in ("cuda", "cuda:0"):
        with pytest.raises(StartupError, match=rf"^DEVICE='{device}': PyTorch sees no GPU"):
            choose_device(device)


@pytest.mark.gpu
@pytest.mark.skipif(N_GPUS == 0, reason="needs a GPU")
def test_workers_are_spread_over_the_gpus() -> None:
    for nth in range(2 * N_GPUS):
        device = choose_device("auto", nth=nth)
        assert device == torch.device("cuda", nth % N_GPUS)
        has_units = torch.cuda.get_device_capability(device) >= (8, 0)
        assert _dtype("auto", SMALL, device) == (torch.bfloat16 if has_units else torch.float32)
    assert choose_device("cuda:0", nth=1) == torch.device("cuda", 0)
    with pytest.raises(StartupError):
        choose_device(f"cuda:{N_GPUS}")


TOO_OLD = (
    "The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver by"
    " downloading and installing a new version from the URL: ..."
)
NONE_FOUND = "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and ..."


@pytest.mark.parametrize(
    ("cuda", "driver", "said", "expected"),
    [
        ("12.8", "470.57.02", TOO_OLD, ["470.57.02", "CUDA 11.4", "CUDA 12.8", "update the driver"]),
        ("12.8", None, TOO_OLD, ["CUDA 11.4", "CUDA 12.8", "update the driver"]),
        (None, "570.86.15", "Torch not compiled with CUDA enabled", ["570.86.15", "built for CPUs"]),
        ("12.8", "570.86.15", NONE_FOUND, ["Found no NVIDIA driver on your system", "570.86.15"]),
        ("12.8", "570.86.15", "No CUDA GPUs are available", ["No CUDA GPUs are available"]),
        ("12.8", None, "CUDA driver initialization failed, you might not ...", ["initialization failed"]),
    ],
)
def test_a_faked_driver_that_cannot_be_used_is_explained(
    cuda: str | None, driver: str | None, said: str, expected: list[str]
) -> None:
    reason = explain(cuda=cuda, driver=driver, error=said)
    assert reason is not None
    assert all(words in reason for words in expected), reason
    assert "http" not in reason


@pytest.mark.parametrize(
    ("cuda", "said"), [("12.8", NONE_FOUND), (None, "Torch not compiled with CUDA enabled")]
)
def test_a_machine_without_a_driver_has_nothing_to_explain(cuda: str | None, said: str) -> None:
    assert explain(cuda=cuda, driver=None, error=said) is None


@pytest.mark.skipif(N_GPUS > 0, reason="has a GPU")
def test_with_a_faked_driver_auto_says_why_it_takes_the_cpu_and_cuda_refuses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert placement_warnings("auto", dtype="auto") == []
    version = tmp_path / "version"
    version.write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.57.02  Tue Jul 13 16:14:05 UTC 2021"
    )
    monkeypatch.setattr("glm_tts_api.model.placement._DRIVER", version)
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setattr("glm_tts_api.model.placement._torch_says", lambda: TOO_OLD)
    assert choose_device("auto") == CPU
    (warning,) = placement_warnings("auto", dtype="auto")
    assert warning.startswith("DEVICE=auto takes the CPU: the NVIDIA driver (470.57.02) goes up to CUDA 11.4")
    assert placement_warnings("cpu", dtype="auto") == []
    monkeypatch.chdir(tmp_path)
    assert main(["check", "checkpoint"]) == 0
    assert capsys.readouterr().err == f"WARNING: {warning}\n"
    with pytest.raises(StartupError, match=r"^DEVICE='cuda': PyTorch sees no GPU here \(the NVIDIA driver"):
        choose_device("cuda")
