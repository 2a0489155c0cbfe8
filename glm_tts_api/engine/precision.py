"""How precisely the flow computes; TF32 on a GPU is for the flow, and for nothing else.

PyTorch's TF32 switches hold for the whole process and are read when a kernel is launched. So threads that
launch float32 products take turns with the flow; those that compute in bfloat16 need not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

import torch

_TURN = threading.Lock()  # one for the process, as the switches are


def flow_precision(
    device: torch.device, *, llm_dtype: torch.dtype, bf16: bool
) -> Callable[[], AbstractContextManager[Any]]:
    """What a flow step is to run in: bfloat16 products, else TF32 on a GPU whose LLM is not in float32."""
    if bf16:
        return partial(torch.autocast, device.type, torch.bfloat16)
    return tf32 if device.type == "cuda" and llm_dtype != torch.float32 else nullcontext


@contextmanager
def tf32() -> Iterator[None]:
    """Products and convolutions launched inside may round their float32 inputs to TF32."""
    with _TURN:
        _switch("tf32")
        try:
            yield
        finally:
            _switch("ieee")


@contextmanager
def full_float32() -> Iterator[None]:
    """What is launched inside computes in full float32, which PyTorch's convolutions do not by default."""
    with _TURN:
        _switch("ieee")
        yield


def _switch(precision: str) -> None:
    backends: Any = torch.backends
    for operators in (backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn):
        operators.fp32_precision = precision
