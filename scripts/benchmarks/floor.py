"""What this machine can do at best: memory bandwidth and matrix multiplication, measured on the spot."""

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
    """Bytes read per second, from a buffer that no cache holds: weights are only read."""
    buffer = torch.ones(_BUFFER_BYTES // 4, device=device)
    n = 8 if device.type == "cuda" else 1  # so that a GPU does not wait for its host
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
    """Floating-point operations per second of [rows, 1024] x [1024, 1024] products, by the quicker of
    PyTorch's own kernels and those on packed weights."""
    a = torch.randn(rows, 1024, device=device, dtype=dtype)
    weights = [torch.randn(1024, 1024, device=device, dtype=dtype) for _ in range(8)]
    plain = [partial(torch.nn.functional.linear, weight=weight) for weight in weights]
    packed = [PackedLinear(weight, typical_rows=rows) for weight in weights]
    best = min(_seconds(products, a, device) for products in (plain, packed))
    return 2.0 * rows * 1024 * 1024 * len(weights) / best


def _seconds(products: Sequence[Callable[[Tensor], Tensor]], a: Tensor, device: torch.device) -> float:
    """What one round of the products takes at best."""
    best, start = float("inf"), time.perf_counter()
    while time.perf_counter() - start < _SECONDS:
        begin = time.perf_counter()
        for product in products:
            product(a)
        _sync(device)
        best = min(best, time.perf_counter() - begin)
    return best
