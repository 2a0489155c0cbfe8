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


def _sync(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def bandwidth(device: torch.device) -> float:
    """Returns the bytes that the device reads per second from a buffer too large for its caches."""
    buffer = torch.ones(_BUFFER_BYTES // 4, device=device)
    n = 8 if device.type == "cuda" else 1  # several sums for each synchronisation, so that a GPU is kept busy
    buffer.sum()
    _sync(device)
    best, start = float("inf"), time.perf_counter()
    while time.perf_counter() - start < _SECONDS:
        begin = time.perf_counter()
        for _ in range(n):
            buffer.sum()
        _sync(device)
        best = min(best, (time.perf_counter() - begin) / n)
    return _BUFFER_BYTES / best


def matmul_flops(device: torch.device, dtype: torch.dtype, *, rows: int = 2048) -> float:
    """Returns the floating-point operations per second of [rows, 1024] x [1024, 1024] products.

    Takes the faster of PyTorch's kernels for plain weights and for packed weights.
    """
    a = torch.randn(rows, 1024, device=device, dtype=dtype)
    weights = [torch.randn(1024, 1024, device=device, dtype=dtype) for _ in range(8)]
    plain = [partial(torch.nn.functional.linear, weight=weight) for weight in weights]
    packed = [PackedLinear(weight, typical_rows=rows) for weight in weights]
    best = min(_seconds(products, a, device) for products in (plain, packed))
    return 2.0 * rows * 1024 * 1024 * len(weights) / best


def _seconds(products: Sequence[Callable[[Tensor], Tensor]], a: Tensor, device: torch.device) -> float:
    """Returns the shortest time in seconds in which all `products` were applied to `a` once."""
    best, start = float("inf"), time.perf_counter()
    while time.perf_counter() - start < _SECONDS:
        begin = time.perf_counter()
        for product in products:
            product(a)
        _sync(device)
        best = min(best, time.perf_counter() - begin)
    return best
