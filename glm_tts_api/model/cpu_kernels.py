"""Compiles and loads cpu_kernels.c: everything between the matrix products of a decode step on a CPU.

Needs Linux on an x86-64 processor with AVX2, and a C compiler. The compiler runs once and takes half a
second. Elsewhere PyTorch's operators do the same work (llm_runner.py), which takes longer.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import re
import subprocess
import tempfile
from contextlib import suppress
from enum import IntEnum
from pathlib import Path

import torch

logger = logging.getLogger(__name__)

LANES = 16  # numbers: every width must be a multiple of it
_SOURCE = Path(__file__).with_suffix(".c")
_COMPILER = ("cc", "-O3", "-fopenmp", "-fPIC", "-Wno-psabi")
_FLAGS = {  # for each value of torch.backends.cpu.get_cpu_capability()
    "AVX2": ("-march=x86-64-v3",),
    "AVX512": ("-march=x86-64-v4", "-mprefer-vector-width=512"),
}
_COMPILING_S = 60  # seconds until a compiler is given up


class Numbers(IntEnum):
    """The kinds of numbers that a kernel reads or writes, as in cpu_kernels.c."""

    FLOAT32 = 0
    BFLOAT16 = 1
    INTEGERS = 2
    PAIRS_OF_INTEGERS = 3


class Step(ctypes.Structure):
    """The numbers and addresses that each kernel of a decode step reads: the `step` of cpu_kernels.c."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("rows", "padded_rows", "read", "stored")),
        *((name, ctypes.c_int64) for name in ("heads", "kv_heads", "head_dim", "slot_length")),
        ("epsilon", ctypes.c_float),
        *((name, ctypes.c_void_p) for name in ("scale", "slots", "lengths", "cosines", "sines")),
    )


class CpuKernels:
    """The compiled kernels. cpu_kernels.c says what each of them computes. All take the addresses of a Step
    and of tensors."""

    def __init__(self, library: Path) -> None:
        """Raises OSError if `library` cannot be loaded."""
        _share_threads_with_torch()
        compiled = ctypes.CDLL(str(library))
        at, number = ctypes.c_void_p, ctypes.c_int64
        self.add_and_norm = compiled.add_and_norm
        self.add_and_norm.argtypes, self.add_and_norm.restype = (at, number, at, at, at, at, number), None
        self.silu_times = compiled.silu_times
        self.silu_times.argtypes, self.silu_times.restype = (at, number, at, at), None
        self.attend = compiled.attend
        self.attend.argtypes, self.attend.restype = (at, at, at, at, at, at), None


def load(folder: Path) -> CpuKernels | None:
    """Returns the kernels for this CPU, or None if they cannot be compiled here; the log then says why. The
    compiled library stays in `folder` for the next time. Several processes may do this at the same time."""
    flags = _FLAGS.get(torch.backends.cpu.get_cpu_capability())
    if flags is None:
        return None
    key = hashlib.sha256(_SOURCE.read_bytes() + repr((_COMPILER, flags)).encode()).hexdigest()
    library = folder / f"{key[:16]}.so"
    with suppress(OSError):  # there is none, or it was written only in part
        return CpuKernels(library)
    try:
        _compile(library, flags)
        return CpuKernels(library)
    except (OSError, subprocess.SubprocessError) as error:
        logger.warning(
            "The CPU's decode kernels cannot be compiled (%s). PyTorch's operators decode instead, which"
            " takes longer. The kernels need a C compiler: apt install gcc libc6-dev",
            _reason(error),
        )
        return None


def _compile(library: Path, flags: tuple[str, ...]) -> None:
    """Compiles the kernels and puts the whole library at its place. Raises OSError and SubprocessError."""
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
        compiled, linked = f"{scratch}/kernels.o", f"{scratch}/kernels.so"
        # Linked without OpenMP's library, for _share_threads_with_torch.
        for command in (
            [*_COMPILER, *flags, "-c", str(_SOURCE), "-o", compiled],
            ["cc", "-shared", compiled, "-o", linked],
        ):
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=_COMPILING_S)
        os.replace(linked, library)


def _share_threads_with_torch() -> None:
    """Lets libraries that are loaded later find the OpenMP library that torch has loaded. A second one would
    bring threads of its own, which compete with torch's."""
    for path in set(re.findall(r"/\S*/lib(?:g|i)?omp\S*\.so\S*", Path("/proc/self/maps").read_text())):
        ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)


def _reason(error: Exception) -> str:
    """Returns the last line of what a compiler printed, or the error's own words."""
    printed = str(getattr(error, "stderr", None) or "").strip().splitlines()
    return printed[-1] if printed else f"{type(error).__name__}: {error}"
