"""The compiled decode kernels of this CPU (model/cpu_kernels.py)."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from glm_tts_api.model import cpu_kernels
from glm_tts_api.model.cpu_kernels import CpuKernels


@cache
def compiled_kernels() -> CpuKernels | None:
    """None without GCC, and on a CPU that has none."""
    with tempfile.TemporaryDirectory() as folder:
        return cpu_kernels.load(Path(folder) / "private")
