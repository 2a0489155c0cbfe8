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
from functools import partial
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

Inputs = tuple[Tensor | None, ...]
Outputs = tuple[Tensor, ...]
Shapes = tuple[torch.Size | None, ...]
Result = TypeVar("Result")


class GraphPool:
    """Captures CUDA graphs on a stream of their own. The graphs share the memory for intermediate results.
    So only one of them may run at a time, and its results must be copied before the next one runs. Capture
    the largest graph first. Captured kernels keep the `priority` of the stream. On a CPU, for tests, a
    captured graph is a plain call of the function."""

    def __init__(self, device: torch.device, *, priority: int = 0) -> None:
        self._device, self._captures = device, device.type == "cuda"
        if self._captures:
            self._stream = torch.cuda.Stream(device, priority=priority)
            self._memory = torch.cuda.graph_pool_handle()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Makes the pool's stream current inside the context. The graphs that were captured inside it may
        run on any stream afterwards. Garbage is not collected inside: that may free GPU memory, which would
        end a capture."""
        if not self._captures:
            yield
            return
        self._stream.wait_stream(torch.cuda.current_stream(self._device))
        gc.collect()
        gc.disable()
        try:
            with torch.cuda.stream(self._stream):
                yield
        finally:
            gc.enable()
        torch.cuda.synchronize(self._device)

    def capture(self, function: Callable[[], Result]) -> tuple[Result, Callable[[], None]]:
        """Captures a call of `function` as a CUDA graph, inside the context of `open`. Before that, calls
        `function` once. Returns the result of the captured call, and a function that runs the graph. Each run
        writes to the tensors of that result."""
        result = function()  # loads kernels and makes plans, which is not allowed during a capture
        if not self._captures:
            return result, partial(_compute_again, function, result)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(
            graph, pool=self._memory, stream=self._stream, capture_error_mode="thread_local"
        ):
            result = function()
        return result, graph.replay


def _compute_again(function: Callable[[], Any], results: Any) -> None:
    for written, new in zip(results, function(), strict=True):
        written.copy_(new)


class _Graph(NamedTuple):
    """A captured graph. Each call of `run` reads the tensors `inputs` and writes the tensors `outputs`."""

    inputs: Inputs
    outputs: Outputs
    run: Callable[[], None]


class Graphs:
    """Calls `function`. For the input shapes that were captured, replays a CUDA graph instead.

    Use it under torch.inference_mode, and with one thread at a time. A tensor that was also given to the last
    call is taken to have the same numbers still, and is not copied again.
    """

    def __init__(self, function: Callable[..., Outputs]) -> None:
        """`function` must neither wait for values on the CPU nor keep any of its input tensors."""
        self._function = function
        self.captured: dict[Shapes, _Graph] = {}
        self._held: list[Tensor | None] = []  # the tensors from which the graphs' inputs were copied

    def __call__(self, *inputs: Tensor | None) -> Outputs:
        graph = self.captured.get(_shapes(inputs)) if self.captured else None
        if graph is None:
            return self._function(*inputs)
        for at, (read, new) in enumerate(zip(graph.inputs, inputs, strict=True)):
            if read is not None and new is not None and new is not self._held[at]:
                read.copy_(new, non_blocking=True)
                self._held[at] = new
        graph.run()
        return tuple(written.clone() for written in graph.outputs)

    def __deepcopy__(self, memo: dict[int, Any]) -> Graphs:
        """Returns a copy without graphs, because the copied function has its own weights."""
        return Graphs(copy.deepcopy(self._function, memo))

    def capture(self, examples: Sequence[Inputs], pool: GraphPool) -> None:
        """Captures one graph in `pool` for the shapes of each example, of which the largest must come
        first. The graphs read their inputs from the same memory.

        Raises RuntimeError if the capture fails. No graph is kept then, and calls work without graphs."""
        self._held = [None] * len(examples[0])
        try:
            with pool.open():
                for inputs in _in_shared_memory(examples):
                    graph = pool.capture(partial(self._function, *inputs))
                    self.captured[_shapes(inputs)] = _Graph(inputs, *graph)
        except RuntimeError:
            self.captured.clear()
            raise


def _in_shared_memory(examples: Sequence[Inputs]) -> Iterator[Inputs]:
    """Returns copies of the examples, the largest of which comes first. The first arguments of all copies
    begin at the same address, and so do the second ones, and so on."""
    memory = [None if tensor is None else tensor.clone().flatten() for tensor in examples[0]]
    for example in examples:
        yield tuple(
            None if own is None or given is None else own[: given.numel()].view(given.shape).copy_(given)
            for own, given in zip(memory, example, strict=True)
        )


def _shapes(tensors: Inputs) -> Shapes:
    return tuple(None if tensor is None else tensor.shape for tensor in tensors)
