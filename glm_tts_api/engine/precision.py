"""How precisely the flow computes; TF32 on a GPU is for the flow, and for nothing else.

PyTorch's TF32 switches hold for the whole process and are read when a kernel is launched. So threads that
launch float32 products take turns with the flow; those that compute in bfloat16 need not. A turn is for
launching: code that waits for the device, or computes on the CPU, belongs outside. The switches are set and
read by `fp32_precision` alone: once it was used, PyTorch refuses to read the older `allow_tf32`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch

_EXACT, _ROUNDED = "ieee", "tf32"


class Turns:
    """A lock that the longest waiting thread gets. threading.Lock may go to a thread that has just released
    it: a flow would take it again and again, and a new voice would wait for all of its steps."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    @property
    def n_waiting(self) -> int:
        return len(self._waiting)

    def __enter__(self) -> None:
        with self._changing:
            if not self._taken:
                self._taken = True
                return
            own = threading.Lock()
            own.acquire()
            self._waiting.append(own)
        own.acquire()  # until the one before hands its turn over

    def __exit__(self, *_: object) -> None:
        with self._changing:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


_TURNS = Turns()  # one for the process, as the switches are


def flow_precision(
    device: torch.device, *, llm_dtype: torch.dtype, bf16: bool
) -> Callable[[], AbstractContextManager[Any]]:
    """The precision for a flow step: TF32 on a GPU whose LLM is not in float32, unless the flow's products
    are in bfloat16."""
    rounds = device.type == "cuda" and llm_dtype != torch.float32 and not bf16
    return tf32 if rounds else nullcontext


@contextmanager
def tf32() -> Iterator[None]:
    """Products and convolutions launched inside may round their float32 inputs to TF32."""
    with _turn(_ROUNDED):
        yield


@contextmanager
def full_float32() -> Iterator[None]:
    """Products launched inside are full float32, which is not PyTorch's default for convolutions."""
    with _turn(_EXACT):
        yield


def compute_exactly() -> None:
    """Makes float32 products full float32 by default, from now on."""
    with _TURNS:
        for operators in _operators():
            operators.fp32_precision = _EXACT


@contextmanager
def _turn(precision: str) -> Iterator[None]:
    """The switches at `precision`, then as they were."""
    with _TURNS:
        before = [operators.fp32_precision for operators in _operators()]
        for operators in _operators():
            operators.fp32_precision = precision
        try:
            yield
        finally:
            for operators, value in zip(_operators(), before, strict=True):
                operators.fp32_precision = value


def _operators() -> tuple[Any, ...]:
    """The modules that have their own switch: on some devices the switches above them do not reach
    convolutions."""
    backends: Any = torch.backends
    return backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn
