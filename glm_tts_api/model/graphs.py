"""Functions of tensors as CUDA graphs: the host orders a whole function at once, not each of its kernels.

A graph's shapes and addresses are fixed. So the tensors that it is called with are copied to where its
kernels read, and what they write is copied out: the next run writes there again.
"""

from __future__ import annotations

import copy
import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor

Inputs = tuple[Tensor | None, ...]
Outputs = tuple[Tensor, ...]
Shapes = tuple[torch.Size | None, ...]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, eq=False)
class _Graph:
    """Reads `inputs` and writes `outputs` each time it is run."""

    inputs: Inputs
    outputs: Outputs
    run: Callable[[], None]

    def __call__(self, given: Inputs) -> Outputs:
        for read, new in zip(self.inputs, given, strict=True):
            if read is not None and new is not None:
                read.copy_(new, non_blocking=True)
        self.run()
        return tuple(written.clone() for written in self.outputs)


class Graphs:
    """`function`, replayed for the shapes that were captured, and called for all others.

    To be used under torch.inference_mode, and by one thread at a time. On a device without graphs what is
    captured runs the same tensor code, which is how the CPU's tests know it.
    """

    def __init__(self, function: Callable[..., Outputs]) -> None:
        """`function` must ask the host for nothing and keep nothing of its inputs."""
        self._function = function
        self._graphs: dict[Shapes, _Graph] = {}

    def __call__(self, *inputs: Tensor | None) -> Outputs:
        graph = self._graphs.get(_shapes(inputs)) if self._graphs else None
        return self._function(*inputs) if graph is None else graph(inputs)

    def __deepcopy__(self, memo: dict[int, Any]) -> Graphs:
        """Without graphs: the copied function has weights of its own."""
        return Graphs(copy.deepcopy(self._function, memo))

    @property
    def captured(self) -> list[Shapes]:
        return list(self._graphs)

    def capture(self, examples: Sequence[Inputs]) -> None:
        """One graph for the shapes of each of the examples, which become what the graphs read. They share
        memory for what lies between, so the largest should come first.

        Raises RuntimeError where the device cannot; no graph is kept then, and all calls go on without.
        """
        device = next(tensor.device for tensor in examples[0] if tensor is not None)
        try:
            if device.type == "cuda":
                self._capture_on(device, examples)
            else:
                self._graphs.update({_shapes(inputs): self._uncaptured(inputs) for inputs in examples})
        except RuntimeError:
            self._graphs.clear()
            raise

    def _capture_on(self, device: torch.device, examples: Sequence[Inputs]) -> None:
        stream, pool = torch.cuda.Stream(device), torch.cuda.graph_pool_handle()
        stream.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(stream), no_garbage_collection():
            for inputs in examples:
                outputs, replay = captured(partial(self._function, *inputs), stream=stream, pool=pool)
                self._graphs[_shapes(inputs)] = _Graph(inputs, outputs, replay)
        torch.cuda.synchronize(device)  # the graphs may be replayed on any stream

    def _uncaptured(self, inputs: Inputs) -> _Graph:
        outputs = self._function(*inputs)

        def run() -> None:
            for written, new in zip(outputs, self._function(*inputs), strict=True):
                written.copy_(new)

        return _Graph(inputs, outputs, run)


def captured(
    function: Callable[[], Result], *, stream: torch.cuda.Stream, pool: Any
) -> tuple[Result, Callable[[], None]]:
    """`function` as a CUDA graph of the current `stream`, in memory of `pool`: what it gave while it was
    captured, and a run of the graph, which writes there again."""
    function()  # loads kernels and plans, which a capture does not allow
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, pool=pool, stream=stream, capture_error_mode="thread_local"):
        result = function()
    return result, graph.replay


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Switches the garbage collector off. A collection during the capture of a graph may free memory of the
    device, which ends the capture."""
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _shapes(tensors: Inputs) -> Shapes:
    return tuple(None if tensor is None else tensor.shape for tensor in tensors)
