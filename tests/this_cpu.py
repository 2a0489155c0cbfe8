"""What the CPU that runs the tests has, by the kernel's account, less what the environment forbids.

`ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2` make any x86 CPU as one with AVX2 alone, for oneDNN and for
PyTorch's own kernels; both are read once, when the process needs them first. scripts/test.sh runs the tests
of numbers so as well.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

AS_AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
_FORBIDDEN = AS_AVX2.items() <= os.environ.items()
_FLAGS = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())

HAS_AVX512 = {"avx512f", "avx512dq", "avx512bw", "avx512vl"} <= _FLAGS and not _FORBIDDEN
HAS_VNNI = bool({"avx512_vnni", "avx_vnni"} & _FLAGS) and not _FORBIDDEN
HAS_BF16_UNITS = bool({"avx512_bf16", "amx_bf16"} & _FLAGS) and not _FORBIDDEN
HAS_DECODE_KERNELS = {"avx2", "fma"} <= _FLAGS and shutil.which("gcc") is not None
