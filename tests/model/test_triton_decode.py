"""The Triton kernels of a decode step: against PyTorch's operators, through the compiler, on a GPU; and what
decodes where Triton does not work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytest.importorskip("triton", reason="Triton is for Linux")

HERE = Path(__file__).parent
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")


@pytest.mark.parametrize(
    "interpreted",
    [
        pytest.param(True, id="interpreted", marks=pytest.mark.long),
        pytest.param(False, id="on a GPU", marks=[pytest.mark.gpu, needs_gpu]),
    ],
)
def test_the_kernels_compute_what_plain_operators_do(interpreted: bool) -> None:
    environ = _environ() | ({"TRITON_INTERPRET": "1"} if interpreted else {})
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(HERE / "triton_cases.py")]
    done = subprocess.run(command, env=environ, cwd=HERE.parents[1], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def _environ() -> dict[str, str]:
    """Of a process that has its own pytest and its own Triton."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "TRITON_INTERPRET"))
    }


@pytest.mark.long
def test_the_kernels_compile_for_gpus_that_are_not_there() -> None:
    """In a process of its own. A T4 has 64 KiB of shared memory, and the smallest of the others 99 KiB."""
    told = json.loads(subprocess.check_output([sys.executable, HERE / "compile_triton.py"], env=_environ()))
    newer = (80, 86, 89, 90, 100, 120)
    fp8 = [f"fp8 sm_{n}" for n in newer[2:]]
    assert [*told] == ["float32 sm_75", *(f"bfloat16 sm_{n}" for n in newer), *fp8]
    for name, figures in told.items():  # four products and what lies between them
        in_all = {"launches": 10, "operators": 0} if name in fp8 else {"launches": 6, "operators": 4}
        assert figures["a_layer"] == in_all
    assert told["float32 sm_75"]["shared_bytes"] <= 64 * 1024
    assert all(figures["shared_bytes"] <= 99 * 1024 for figures in told.values())
