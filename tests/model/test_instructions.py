"""The kernels use what this CPU has and the environment allows: so that a run as an AVX2 CPU is one."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.this_cpu import AS_AVX2

CODE = """
import torch
from glm_tts_api.model.linear import PackedLinear
print(torch.backends.cpu.get_cpu_capability())
with torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON):
    PackedLinear(torch.ones(64, 64))(torch.ones(4, 64))
"""


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
