"""Limits PyTorch's number of CPU threads where another number would change the bits of a result.

With PyTorch 2.13, attention and activations round differently on 1, 2, 4 or 8 threads, and on CPUs with AMX
units also large products in bfloat16 (linear.py). The other operators of the LLM and of the flow's steps do
not. On 3 threads convolutions round differently too. The flow's conditions (products on weights that are not
packed) and HiFT (transposed convolutions) differ for each number of threads, so they get one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

_MISALIGNED = 3  # queries a head; with so few, attention rounds by the addresses of a thread's numbers
_LEAST_OF_A_THREAD = 32768  # numbers: PyTorch gives no smaller parts to threads

# Makes calls that do not depend on each other, and returns their results in order.
IntraOp = Callable[[Sequence[Callable[[], Tensor]]], Iterator[Tensor]]


def one_after_another(calls: Sequence[Callable[[], Tensor]]) -> Iterator[Tensor]:
    """Makes each of the `calls` only when its result is asked for, and yields the results in order. So a GPU
    need not hold several results at once."""
    return (call() for call in calls)


def power_of_two(n: int) -> int:
    """Returns the largest power of two that is not above `n`. `n` must be positive."""
    return 1 << (n.bit_length() - 1)


@contextmanager
def at_most(n_threads: int) -> Iterator[None]:
    """Limits torch's number of threads for the calling thread inside the context. Setting the number and
    setting it back take a fraction of a microsecond together."""
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
    """Returns the context in which to compute attention with the queries [1, heads, n, head_dim]. The context
    limits torch to one thread where the number of threads would change bits: in float32 with at most three
    queries or with a single head. (Few queries round by the addresses of a thread's numbers. A single head is
    divided among the threads.)"""
    _, n_heads, n_queries, _ = queries.shape
    rounds_by_threads = queries.dtype == torch.float32 and (n_queries <= _MISALIGNED or n_heads == 1)
    return at_most(1) if rounds_by_threads else nullcontext()


def whole_vectors(x: Tensor) -> AbstractContextManager[Any]:
    """Returns the context in which to compute an activation of x. The context limits torch's threads to a
    power of two, so that each thread's part of x is a whole number of CPU vectors. Elements outside whole
    vectors would go through another function, which rounds differently."""
    n_parts = -(-x.numel() // _LEAST_OF_A_THREAD)
    return at_most(power_of_two(max(1, min(n_parts, torch.get_num_threads()))))


class WholeVectors(nn.Module):
    """An activation that is computed in the context `whole_vectors`."""

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        with whole_vectors(x):
            out: Tensor = self.activation(x)
        return out
