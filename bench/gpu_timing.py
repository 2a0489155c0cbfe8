"""Measures times, kernels and memory for scripts/gpu_check.sh.

On a CPU it counts operators instead of kernels.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch.profiler import ProfilerActivity, profile

MS, MIB, GIB = 1000.0, 2**20, 2**30

# The first pattern found in a kernel's name gives the kernel's part; a kernel without a match counts as
# small.
_PARTS = {
    "attention": r"fmha|flash|attention|attend|join_splits|softmax_warp",
    "convolution": r"conv|wgrad|dgrad|fprop",
    "products": r"gemm|gemv|cutlass|nvjet|xmma|splitk|mm\b|linear|matmul",
    "draw": r"sort|topk|softmax|scan|cumsum|exponential|distribution|argmax|reduce.*arg|draw|noise|gather",
}
_SMALL = "small"


class Kernel(NamedTuple):
    """All runs of one kernel within one call of the measured work.

    `n` is the mean number of runs in a call, and `ms` their time together.
    """

    name: str
    n: float
    ms: float


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Calls `work` once, waits until `device` has finished, and returns the seconds that this took."""
    synchronize(device)
    started = time.perf_counter()
    work()
    synchronize(device)
    return time.perf_counter() - started


def best_ms(work: Callable[[], object], device: torch.device, *, n: int = 5) -> float:
    """Returns the ms of the shortest of `n` calls of `work`, after one call that is not counted."""
    work()
    return MS * min(seconds(work, device) for _ in range(n))


def percentile(values: Sequence[float], percent: int) -> float:
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, len(ranked) * percent // 100)]


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def kernels(work: Callable[[], object], device: torch.device, *, n: int = 3) -> list[Kernel]:
    """Profiles `n` calls of `work`. Returns the kernels of a mean call, the longest first.

    The list is empty if the driver does not allow profiling.
    """
    gpu = device.type == "cuda"
    work()
    with profile(activities=[ProfilerActivity.CUDA if gpu else ProfilerActivity.CPU]) as profiled:
        for _ in range(n):
            work()
        synchronize(device)
    seen = [
        Kernel(
            each.key,
            each.count / n,
            (each.self_device_time_total if gpu else each.self_cpu_time_total) / n / MS,
        )
        for each in profiled.key_averages()
        if each.device_type.name == device.type.upper()
        and not each.key.startswith(("Memcpy", "Memset", "cuda"))
    ]
    return sorted(seen, key=lambda kernel: -kernel.ms)


def part_of(name: str) -> str:
    found = (part for part, pattern in _PARTS.items() if re.search(pattern, name, re.IGNORECASE))
    return next(found, _SMALL)


def by_part(seen: Sequence[Kernel]) -> dict[str, float | str]:
    """Sums the ms of the kernels `seen` by part ("attention", "products", ...)."""
    parts: dict[str, float | str] = {}
    for part in (*_PARTS, _SMALL):
        if any(part_of(kernel.name) == part for kernel in seen):
            parts[part] = sum(kernel.ms for kernel in seen if part_of(kernel.name) == part)
    return parts


def longest_name(seen: Sequence[Kernel], part: str) -> str:
    """Returns the first 40 characters of the name of the longest kernel of `part`, or "none"."""
    names = (kernel.name for kernel in seen if part_of(kernel.name) == part)
    return next(names, "none").removeprefix("void ")[:40].replace("|", "/")


def reserved(device: torch.device) -> int:
    return torch.cuda.memory_reserved(device) if device.type == "cuda" else 0
