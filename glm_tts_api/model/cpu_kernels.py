"""Compiles and loads cpu_kernels.c: everything between the matrix products of a decode step on a CPU.

Needs Linux on an x86-64 processor with AVX2, and GCC 9 or newer. The compiler runs once and takes half a
second. Elsewhere PyTorch's operators do the same work (llm_runner.py), which takes longer.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import stat
import subprocess
import tempfile
from contextlib import suppress
from enum import IntEnum
from pathlib import Path

import torch

logger = logging.getLogger(__name__)

LANES = 16  # numbers: every width must be a multiple of it
_SOURCE = Path(__file__).with_suffix(".c")
# Products and sums are not contracted (FMA). So the width of vectors changes no bit, nor should another GCC.
_COMPILER = ("gcc", "-O3", "-ffp-contract=off", "-fopenmp", "-fPIC", "-Wno-psabi")
_FLAGS = {  # for each value of torch.backends.cpu.get_cpu_capability() that has kernels
    "AVX2": ("-mavx2", "-mfma"),
    "AVX512": ("-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mprefer-vector-width=512"),
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
        *((name, ctypes.c_void_p) for name in ("scale", "slots", "lengths", "cosines", "sines", "queries")),
        ("followed", ctypes.c_int64),
    )


class CpuKernels:
    """The compiled kernels. cpu_kernels.c says what each of them computes. All take the addresses of a Step
    and of tensors."""

    def __init__(self, library: Path) -> None:
        """Raises OSError or AttributeError if `library` is not what was compiled."""
        compiled = ctypes.CDLL(str(library))
        at, number = ctypes.c_void_p, ctypes.c_int64
        self.add_and_norm = compiled.add_and_norm
        self.add_and_norm.argtypes, self.add_and_norm.restype = (at, number, at, at, at, at, number), None
        self.silu_times = compiled.silu_times
        self.silu_times.argtypes, self.silu_times.restype = (at, number, at, at), None
        self.attend = compiled.attend
        self.attend.argtypes, self.attend.restype = (at, at, at, at, at, at), None


def load(folder: Path) -> CpuKernels | None:
    """Returns the kernels for this CPU, or None if there are none for it or they cannot be compiled. The log
    then says why. The compiled library stays in `folder` for the next time. Several processes may do this at
    the same time."""
    kind = torch.backends.cpu.get_cpu_capability()
    if kind not in _FLAGS:
        logger.info("There are no decode kernels for this CPU (%s): PyTorch's operators decode.", kind)
        return None
    try:
        source = _SOURCE.read_bytes()
        _make_private(folder)
        key = hashlib.sha256(source + repr((_COMPILER, _FLAGS[kind])).encode()).hexdigest()
        library = folder / f"{key[:16]}.so"
        with suppress(OSError, AttributeError):  # there is none, or it is damaged
            return CpuKernels(library)
        _compile(library, _FLAGS[kind])
        return CpuKernels(library)
    except (OSError, AttributeError, subprocess.SubprocessError) as error:
        logger.warning(
            "The decode kernels for the CPU cannot be compiled: %s. PyTorch's operators decode instead, which"
            " takes longer.",
            _reason(error),
        )
        return None


def _make_private(folder: Path) -> None:
    """Makes `folder` if it is missing. Raises PermissionError if another user may write to it, since a
    library from it is run."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(f"another user may write to {folder}")


def _compile(library: Path, flags: tuple[str, ...]) -> None:
    """Compiles the kernels and puts the whole library at its place. Raises OSError and SubprocessError."""
    with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
        compiled, linked = f"{scratch}/kernels.o", f"{scratch}/kernels.so"
        # Linked without OpenMP's library: the kernels then find torch's, and share its threads.
        for command in (
            [*_COMPILER, *flags, "-c", str(_SOURCE), "-o", compiled],
            [_COMPILER[0], "-shared", compiled, "-o", linked],
        ):
            subprocess.run(
                command,
                check=True,
                capture_output=True,
                text=True,
                errors="replace",
                env=os.environ | {"LC_ALL": "C"},
                timeout=_COMPILING_S,
            )
        with open(linked, "rb") as written:
            os.fsync(written.fileno())
        os.replace(linked, library)


def _reason(error: Exception) -> str:
    """Returns the first error that the compiler printed, or the error's own words, and what to install."""
    printed = str(getattr(error, "stderr", None) or "").splitlines()
    reason = next((line for line in printed if "error" in line), f"{type(error).__name__}: {error}")
    without = (
        isinstance(error, subprocess.CalledProcessError) or getattr(error, "filename", "") == _COMPILER[0]
    )
    return f"{reason} (they need GCC 9 or newer: apt install gcc libc6-dev)" if without else reason
