"""Measures the best rates of this machine: memory bandwidth and matrix multiplication."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from glm_tts_api.model.linear import PackedLinear

_SECONDS = 0.6
_BUFFER_BYTES = 2**29


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def bandwidth(device: torch.device) -> float:
    """Returns the bytes that the device reads per second from a buffer too large for its caches."""
    buffer = torch.ones(_BUFFER_BYTES // 4, device=device)
    n = 8 if device.type == "cuda" else 1  # several sums for each synchronisation, so that a GPU is kept busy
    return n * _BUFFER_BYTES / _least_s([buffer.sum] * n, device)


def matmul_flops(device: torch.device, dtype: torch.dtype, *, rows: int = 2048) -> float:
    """Returns the floating-point operations per second of [rows, 1024] x [1024, 1024] products.

    Takes the faster of PyTorch's kernels for plain weights and for packed weights.
    """
    a = torch.randn(rows, 1024, device=device, dtype=dtype)
    weights = [torch.randn(1024, 1024, device=device, dtype=dtype) for _ in range(8)]
    plain = [partial(torch.nn.functional.linear, a, weight) for weight in weights]
    packed = [partial(PackedLinear(weight, typical_rows=rows), a) for weight in weights]
    best = min(_least_s(products, device) for products in (plain, packed))
    return 2.0 * rows * 1024 * 1024 * len(weights) / best


def _least_s(works: Sequence[Callable[[], Tensor]], device: torch.device) -> float:
    """Returns the shortest time in seconds in which all `works` were called once, after a call to warm up."""
    best, end = float("inf"), time.perf_counter() + _SECONDS
    works[0]()
    synchronize(device)
    while time.perf_counter() < end:
        begin = time.perf_counter()
        for work in works:
            work()
        synchronize(device)
        best = min(best, time.perf_counter() - begin)
    return best
