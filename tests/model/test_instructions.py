"""The kernels use what this CPU has and the environment allows: so that a run as an AVX2 CPU is one."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
import torch

from glm_tts_api.model.linear import Int8Linear, PackedLinear
from tests.this_cpu import AS_AVX2, HAS_AVX512, HAS_VNNI

CODE = """
import torch
from glm_tts_api.model.linear import PackedLinear
print(torch.backends.cpu.get_cpu_capability())
with torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON):
    PackedLinear(torch.ones(64, 64))(torch.ones(4, 64))
"""


def test_pytorchs_own_kernels() -> None:
    assert torch.backends.cpu.get_cpu_capability() == ("AVX512" if HAS_AVX512 else "AVX2")


@pytest.mark.parametrize(
    ("product", "has", "name"),
    [(PackedLinear, HAS_AVX512, "avx512|avx10"), (Int8Linear, HAS_VNNI, "vnni|avx10|amx")],
    ids=["float32", "int8"],
)
def test_onednns_kernels(
    product: type[PackedLinear | Int8Linear], has: bool, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    linear = product(torch.ones(64, 64))
    with torch.inference_mode(), torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON):
        linear(torch.ones(4, 64))
    kernels = [line for line in capfd.readouterr().out.splitlines() if ",exec," in line]
    assert any("matmul" in line or "inner_product" in line for line in kernels), "nothing was reported"
    assert any(re.search(name, line) for line in kernels) == has, kernels


def test_the_switches_make_any_cpu_one_with_avx2() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**os.environ, **AS_AVX2},
        capture_output=True,
        text=True,
        check=True,
    )
    capability, *kernels = done.stdout.splitlines()
    assert capability == "AVX2"
    assert any(",exec," in line for line in kernels), "nothing was reported"
    assert "avx512" not in done.stdout
