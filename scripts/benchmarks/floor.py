"""What this machine can do at best: memory bandwidth and matrix multiplication, measured on the spot."""

from __future__ import annotations

import time

import torch

_SECONDS = 0.6
_BUFFER_BYTES = 2**29


def _sync(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def bandwidth(device: torch.device) -> float:
    """Bytes read per second, from a buffer that no cache holds: weights are only read."""
    buffer = torch.ones(_BUFFER_BYTES // 4, device=device)
    buffer.sum()
    _sync(device)
    best, start = float("inf"), time.perf_counter()
    while time.perf_counter() - start < _SECONDS:
        begin = time.perf_counter()
        buffer.sum()
        _sync(device)
        best = min(best, time.perf_counter() - begin)
    return _BUFFER_BYTES / best


def matmul_flops(device: torch.device, dtype: torch.dtype, *, rows: int = 2048) -> float:
    """Floating-point operations per second of [rows, 1024] x [1024, 1024] products."""
    a = torch.randn(rows, 1024, device=device, dtype=dtype)
    weights = [torch.randn(1024, 1024, device=device, dtype=dtype) for _ in range(8)]
    best, start = float("inf"), time.perf_counter()
    while time.perf_counter() - start < _SECONDS:
        begin = time.perf_counter()
        for weight in weights:
            torch.nn.functional.linear(a, weight)
        _sync(device)
        best = min(best, time.perf_counter() - begin)
    return 2.0 * rows * 1024 * 1024 * len(weights) / best
