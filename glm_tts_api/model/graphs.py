"""Runs functions of tensors as CUDA graphs: the CPU launches the whole function at once and not each of its
kernels.

A graph has fixed shapes and addresses. So the tensors of a call are copied to the addresses from which the
graph's kernels read. The results are copied out, because the next run writes to the same addresses.
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
    """A captured graph. Each call of `run` reads the tensors `inputs` and writes the tensors `outputs`."""

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
    """Calls `function`. For the input shapes that were captured, replays a CUDA graph instead.

    Use it under torch.inference_mode, and with one thread at a time. On a CPU a captured graph is a plain
    call of the function, for tests.
    """

    def __init__(self, function: Callable[..., Outputs]) -> None:
        """`function` must neither wait for values on the CPU nor keep any of its input tensors."""
        self._function = function
        self._graphs: dict[Shapes, _Graph] = {}

    def __call__(self, *inputs: Tensor | None) -> Outputs:
        graph = self._graphs.get(_shapes(inputs)) if self._graphs else None
        return self._function(*inputs) if graph is None else graph(inputs)

    def __deepcopy__(self, memo: dict[int, Any]) -> Graphs:
        """Returns a copy without graphs, because the copied function has its own weights."""
        return Graphs(copy.deepcopy(self._function, memo))

    @property
    def captured(self) -> list[Shapes]:
        return list(self._graphs)

    def capture(self, examples: Sequence[Inputs]) -> None:
        """Captures one graph for the shapes of each example. The graphs read their input from the examples'
        tensors from then on. The graphs share the memory for intermediate results, so the largest example
        should come first.

        Raises RuntimeError if the capture fails. No graph is kept then, and calls work without graphs."""
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
    """Captures a call of `function` as a CUDA graph, on the current `stream` and with memory of `pool`.
    Before that, calls `function` once. Returns the result of the captured call, and a function that runs the
    graph. Each run writes to the tensors of that result."""
    function()  # loads kernels and makes plans, which is not allowed during a capture
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, pool=pool, stream=stream, capture_error_mode="thread_local"):
        result = function()
    return result, graph.replay


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Collects garbage once, then switches Python's garbage collector off inside the context. A collection
    during the capture of a graph may free GPU memory, which would end the capture."""
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
