"""PyTorch's threads on a CPU, bounded where their number would change a bit.

On 1, 2, 4 or 8 threads PyTorch 2.13 rounds otherwise in attention and activations, of all that the LLM and
the flow's steps call; on 3 also in convolutions. The flow's conditions (products on weights that are not
packed) and HiFT (transposed convolutions) would differ on any number: they have one thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

_MISALIGNED = 3  # queries a head
_LEAST_OF_A_THREAD = 32768  # numbers: PyTorch cuts no smaller parts


def power_of_two(n: int) -> int:
    """The largest that is not above `n`, which is positive."""
    return 1 << (n.bit_length() - 1)


@contextmanager
def at_most(n_threads: int) -> Iterator[None]:
    """Bounds the caller's threads. Both changes together take a fraction of a microsecond."""
    before = torch.get_num_threads()
    if before <= n_threads:
        yield
        return
    torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def attending(queries: Tensor) -> AbstractContextManager[Any]:
    """For attention of queries [1, heads, n, head_dim]. In float32 the products of few of them round by where
    in memory a thread's numbers lie, and those of a single head are cut by the number of threads."""
    _, n_heads, n_queries, _ = queries.shape
    rounds_by_threads = queries.dtype == torch.float32 and (n_queries <= _MISALIGNED or n_heads == 1)
    return at_most(1) if rounds_by_threads else nullcontext()


def whole_vectors(x: Tensor) -> AbstractContextManager[Any]:
    """For an activation of x: what is left beside whole vectors at the end of a thread's part would go
    through another function, which rounds otherwise. As many parts as a power of two leave nothing, since a
    row is a multiple of a vector."""
    n_parts = -(-x.numel() // _LEAST_OF_A_THREAD)
    return at_most(power_of_two(max(1, min(n_parts, torch.get_num_threads()))))


class WholeVectors(nn.Module):
    """An activation in whole vectors."""

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        with whole_vectors(x):
            out: Tensor = self.activation(x)
        return out
