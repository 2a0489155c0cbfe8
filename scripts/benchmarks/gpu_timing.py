"""Clocks and counters of scripts/gpu_check.sh. On a CPU, operators are counted in place of kernels."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch.profiler import ProfilerActivity, profile

MS, MIB, GIB = 1000.0, 2**20, 2**30

# The first pattern found in a kernel's name says what it is a part of; other kernels are small ones.
_PARTS = {
    "attention": r"fmha|flash|attention|attend|join_splits|softmax_warp",
    "convolution": r"conv|wgrad|dgrad|fprop",
    "products": r"gemm|gemv|cutlass|nvjet|xmma|splitk|mm\b|linear|matmul",
    "draw": r"sort|topk|softmax|scan|cumsum|exponential|distribution|argmax|reduce.*arg|draw|noise|gather",
}
_SMALL = "small"


class Kernel(NamedTuple):
    """All runs of one kernel within one call of the work: its runs may be shared by several calls."""

    name: str
    n: float
    ms: float


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """One call, until the device is done."""
    synchronize(device)
    started = time.perf_counter()
    work()
    synchronize(device)
    return time.perf_counter() - started


def best_ms(work: Callable[[], object], device: torch.device, *, n: int = 5) -> float:
    """The shortest of `n` calls, after one that is not counted."""
    work()
    return MS * min(seconds(work, device) for _ in range(n))


def percentile(values: Sequence[float], percent: int) -> float:
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, len(ranked) * percent // 100)]


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def kernels(work: Callable[[], object], device: torch.device, *, n: int = 3) -> list[Kernel]:
    """The kernels of a call, the longest first, from the profile of `n`. Empty where the driver does not let
    the profiler count."""
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
    """Milliseconds of each part that occurs."""
    parts: dict[str, float | str] = {}
    for part in (*_PARTS, _SMALL):
        if any(part_of(kernel.name) == part for kernel in seen):
            parts[part] = sum(kernel.ms for kernel in seen if part_of(kernel.name) == part)
    return parts


def longest_name(seen: Sequence[Kernel], part: str) -> str:
    """The start of the name of the kernel in which a part spends most."""
    names = (kernel.name for kernel in seen if part_of(kernel.name) == part)
    return next(names, "none").removeprefix("void ")[:40].replace("|", "/")


def reserved(device: torch.device) -> int:
    return torch.cuda.memory_reserved(device) if device.type == "cuda" else 0


def peak(work: Callable[[], object], device: torch.device) -> int:
    """Bytes beyond those that were there, libraries' own excepted; 0 on a CPU, where nobody counts."""
    work()
    if device.type == "cpu":
        return 0
    torch.cuda.synchronize(device)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    work()
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device) - before
