"""Describes the machine of a measurement, and reads the memory and CPU time of server processes."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch

from glm_tts_api.processes import family, number_in
from glm_tts_api.settings.machine import usable_cores

# Flags of /proc/cpuinfo that decide which kernels run. The second line has those of ARM.
_FLAGS = (
    "avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16",
    "asimddp", "i8mm", "bf16", "sve",
)  # fmt: skip
_LIMITS = ("ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY", "OMP_NUM_THREADS")


def describe(device: str) -> str:
    """Returns one line: the CPU, its relevant instructions, PyTorch's version and limits, and the GPU."""
    fields = _cpuinfo()
    name = fields.get("model name") or platform.machine()
    flags = set(f"{fields.get('flags', '')} {fields.get('Features', '')}".split())
    words = [
        f"CPU: {name}, {usable_cores()} cores",
        " ".join(flag for flag in _FLAGS if flag in flags) or "no vector instructions that matter here",
        f"PyTorch {torch.__version__} uses {torch.backends.cpu.get_cpu_capability()}",
        *(f"{limit}={os.environ[limit]}" for limit in _LIMITS if os.environ.get(limit)),
    ]
    if device.startswith("cuda"):
        words.insert(0, f"GPU: {torch.cuda.get_device_name(device)}")
    return "; ".join(words)


def _cpuinfo() -> dict[str, str]:
    """Reads /proc/cpuinfo, and returns the fields of its first CPU by name."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0].splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs}


def memory_mb(server: int, field: str) -> float:
    """Returns the memory in MB of the server process `server` and its engine processes together.

    `field` is "VmRSS" for the present memory or "VmHWM" for the largest so far. Raises RuntimeError if the
    server has ended.
    """
    processes = family(server)
    if not processes:
        raise RuntimeError(f"process {server} has no memory: it has ended")
    return sum(number_in(Path(f"/proc/{each.pid}/status"), f"{field}:") for each in processes) / 1024


def cpu_seconds(server: int) -> tuple[float, float]:
    """Returns the CPU seconds so far of the process `server`, and of its engine processes together.

    The server's time includes that of its ended child processes.
    """
    own, *engines = (sum(each.cpu_times()[:4]) for each in family(server))
    return own, sum(engines)
