"""Sets every switch of PyTorch that holds for the whole process, before a model is loaded. Only the TF32
contexts change one of these switches later, and they set it back.

On a GPU the flow may use TF32, and nothing else may. PyTorch's TF32 switches hold for the whole process, and
are read when a kernel is launched. So threads that launch float32 products take turns with the flow (a turn
is the time in which a thread holds one lock). Threads that compute in bfloat16 need no turn. A turn is for
launching kernels: code that waits for the device or computes on the CPU belongs outside. The switches are set
and read through `fp32_precision` alone: once it was used, PyTorch refuses to read the older `allow_tf32`.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch

from glm_tts_api.engine.spare_memory import keep_for_reuse
from glm_tts_api.model.allocator import why_fixed

logger = logging.getLogger(__name__)

# On a CPU, PyTorch and oneDNN make a plan for each length of a product or convolution. By default each of
# them keeps 1024 plans of up to a megabyte, and every text has other lengths. 32 plans are enough for the
# renders that run at one time.
_PLANS_KEPT_BY = ("LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY")
_PLANS_KEPT = 32
_EXACT, _ROUNDED = "ieee", "tf32"


def set_torch_flags(device: torch.device, environ: MutableMapping[str, str]) -> None:
    """Sets PyTorch's switches for a server on `device`. Call this before any tensor is on the device.

    On a CPU, adds settings of PyTorch's caches of plans to `environ`, the environment of this process.
    Variables that the user has set stay as they are.
    """
    if device.type != "cuda":
        keep_for_reuse()
        for name in _PLANS_KEPT_BY:
            environ.setdefault(name, str(_PLANS_KEPT))
        return
    if reason := why_fixed():
        logger.warning("The GPU memory's segments cannot grow, so less of it can be used: %s", reason)
    # cuDNN's attention makes a plan for each length, which takes tens of milliseconds while all rows wait.
    torch.backends.cuda.enable_cudnn_sdp(False)
    # TorchScript (Vocos2D) would fuse operators, and so compile them again for each length.
    torch.jit.set_fusion_strategy([])
    # Where a product is split into parts, the parts would be added in bfloat16.
    torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
    # Some of cuDNN's transposed convolutions (HiFT's upsampling) add in a random order.
    torch.backends.cudnn.deterministic = True
    compute_exactly()


class Turns:
    """A lock that goes to the thread that has waited longest. A threading.Lock may go to the thread that has
    just released it. The flow would then take the lock again for step after step, and a new voice would wait
    for all of these steps."""

    def __init__(self) -> None:
        self._line: deque[object] = deque()  # the owner of the lock, then the threads that wait for it
        self._changed = threading.Condition()

    @property
    def n_waiting(self) -> int:
        return max(0, len(self._line) - 1)

    def __enter__(self) -> None:
        own = object()
        with self._changed:
            self._line.append(own)
            self._changed.wait_for(lambda: self._line[0] is own)

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._line.popleft()
            self._changed.notify_all()


_TURNS = Turns()  # one for the process, as the switches are


def flow_precision(
    device: torch.device, *, llm_dtype: torch.dtype, bf16: bool
) -> Callable[[], AbstractContextManager[Any]]:
    """Returns the context manager in which a flow step runs: `tf32` on a GPU, if the LLM is not in float32
    and `bf16` is False. (`bf16` True means that the flow's products are in bfloat16.) In all other cases the
    context manager changes nothing."""
    rounds = device.type == "cuda" and llm_dtype != torch.float32 and not bf16
    return tf32 if rounds else nullcontext


def tf32() -> AbstractContextManager[None]:
    """Lets products and convolutions that are launched in this context round their float32 inputs to TF32.
    Threads that enter `tf32` or `full_float32` meanwhile wait."""
    return _turn(_ROUNDED)


def full_float32() -> AbstractContextManager[None]:
    """Makes products and convolutions that are launched in this context compute in full float32. For
    convolutions that is not PyTorch's default. Threads that enter `tf32` or `full_float32` meanwhile wait."""
    return _turn(_EXACT)


def compute_exactly() -> None:
    """Makes products and convolutions compute in full float32 (without TF32) by default, from now on."""
    with _TURNS:
        for operators in _operators():
            operators.fp32_precision = _EXACT


@contextmanager
def _turn(precision: str) -> Iterator[None]:
    """Takes the process's lock for PyTorch's TF32 switches, sets the switches to `precision` ("ieee" or
    "tf32") inside the context, and sets them back at its end."""
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
    """Returns the PyTorch backends that have a TF32 switch of their own. On some devices PyTorch's general
    switch does not reach convolutions."""
    backends: Any = torch.backends
    return backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn
