"""TF32 is for the flow alone, though PyTorch's switch is one for the process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.engine.torch_flags import Turns, compute_exactly, full_float32, set_torch_flags, tf32
from tests import gpus


def operators() -> tuple[Any, ...]:
    backends: Any = torch.backends
    return backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn


def switches() -> set[str]:
    return {each.fp32_precision for each in operators()}


@pytest.fixture(autouse=True)
def as_a_server_starts() -> Iterator[None]:
    before = [each.fp32_precision for each in operators()]
    compute_exactly()
    yield
    for each, precision in zip(operators(), before, strict=True):
        each.fp32_precision = precision


def test_each_switch_is_read_set_and_restored_to_what_it_was_even_after_an_error() -> None:
    """On any PyTorch that pyproject.toml allows; mixed values and "none", which a process starts with."""
    for precision in (tf32, full_float32):
        matmul, conv, rnn = operators()
        matmul.fp32_precision, conv.fp32_precision, rnn.fp32_precision = "none", "tf32", "ieee"
        before = [each.fp32_precision for each in operators()]
        with suppress(torch.OutOfMemoryError), precision():
            assert switches() == {"tf32" if precision is tf32 else "ieee"}
            raise torch.OutOfMemoryError("CUDA out of memory")
        assert [each.fp32_precision for each in operators()] == before


def test_float32_work_of_another_thread_waits_for_the_flow() -> None:
    seen: list[set[str]] = []
    began = threading.Event()

    def tokenize() -> None:
        began.set()
        with full_float32():
            seen.append(switches())

    with tf32():
        other = threading.Thread(target=tokenize)
        other.start()
        began.wait(10)
        other.join(0.1)
        assert other.is_alive()
        assert switches() == {"tf32"}
    other.join(10)
    assert seen == [{"ieee"}]


def test_a_turn_goes_to_whoever_has_waited_longest_and_not_back_to_a_flow_that_wants_the_next() -> None:
    """Each thread is seen to wait before the next one asks."""
    order: list[str] = []
    turns = Turns()

    def work(name: str) -> None:
        with turns:
            order.append(name)

    waiting = [threading.Thread(target=work, args=(name,)) for name in ("voice", "second voice")]
    with turns:
        for number, thread in enumerate(waiting, start=1):
            thread.start()
            while turns.n_waiting < number:
                time.sleep(0.001)
    work("flow")
    for thread in waiting:
        thread.join(10)
    assert order == ["voice", "second voice", "flow"]
    work("flow")
    assert order[3:] == ["flow"], "nobody holds it any more"


on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")


@pytest.mark.gpu
@on_a_gpu
@gpus.from_ampere_on
@pytest.mark.parametrize(
    ("operator", "shapes", "most", "least"),
    [(F.conv1d, ((1, 256, 500), (256, 256, 7)), 2.0, 2e-3), (torch.mm, ((512, 512), (512, 512)), 1.0, 1e-3)],
)
def test_products_and_convolutions_are_rounded_inside_and_exact_outside(
    operator: Callable[..., Tensor], shapes: tuple[tuple[int, ...], ...], most: float, least: float
) -> None:
    """Each has a switch of its own, and a GPU's library rounds convolutions unless it is told."""
    draw = torch.Generator("cuda").manual_seed(0)
    a, b = (torch.randn(*shape, generator=draw, device="cuda") for shape in shapes)
    exact = operator(a.double(), b.double()).float()
    with tf32():
        rounded = operator(a, b)
    with full_float32():
        full = operator(a, b)
    assert (full - exact).abs().max() < least < (rounded - exact).abs().max() < most


@pytest.mark.gpu
@on_a_gpu
def test_products_in_bfloat16_are_added_up_in_float32() -> None:
    """One row against many columns, as a decode step has it: such products are split over what is added."""
    set_torch_flags(torch.device("cuda", 0), {})
    draw = torch.Generator("cuda").manual_seed(0)
    a, b = (torch.rand(n, 8192, generator=draw, device="cuda").bfloat16() for n in (1, 4096))
    exact = (a.double() @ b.double().T).bfloat16()
    others = (a @ b.T != exact).double().mean()
    assert others < 0.02  # parts in bfloat16 would round anew in a third of them
