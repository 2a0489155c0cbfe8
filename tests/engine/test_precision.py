"""TF32 is for the flow alone, though PyTorch's switch is one for the process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F

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


def test_tf32_ends_with_its_block_even_when_that_fails() -> None:
    with tf32():
        assert switches() == {"tf32"}
    assert switches() == {"ieee"}
    with pytest.raises(torch.OutOfMemoryError), tf32():
        raise torch.OutOfMemoryError("CUDA out of memory")
    assert switches() == {"ieee"}


def test_each_switch_is_read_set_and_restored_to_what_it_was() -> None:
    """On any PyTorch that pyproject.toml allows; mixed values and "none", which a process starts with."""
    for precision in (tf32, full_float32):
        matmul, conv, rnn = operators()
        matmul.fp32_precision, conv.fp32_precision, rnn.fp32_precision = "none", "tf32", "ieee"
        before = [each.fp32_precision for each in operators()]
        with precision():
            assert switches() == {"tf32" if precision is tf32 else "ieee"}
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


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@gpus.from_ampere_on
def test_convolutions_are_rounded_inside_and_exact_outside() -> None:
    """Their switch is another one than that of products, and a GPU's library rounds unless it is told."""
    draw = torch.Generator("cuda").manual_seed(0)
    x, weight = (
        torch.randn(*shape, generator=draw, device="cuda") for shape in ((1, 256, 500), (256, 256, 7))
    )
    exact = F.conv1d(x.double(), weight.double()).float()
    with tf32():
        rounded = F.conv1d(x, weight)
    with full_float32():
        full = F.conv1d(x, weight)
    assert (full - exact).abs().max() < 2e-3 < (rounded - exact).abs().max() < 2.0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_products_in_bfloat16_are_added_up_in_float32() -> None:
    """One row against many columns, as a decode step has it: such products are split over what is added."""
    set_torch_flags(torch.device("cuda", 0), {})
    draw = torch.Generator("cuda").manual_seed(0)
    a, b = (torch.rand(n, 8192, generator=draw, device="cuda").bfloat16() for n in (1, 4096))
    exact = (a.double() @ b.double().T).bfloat16()
    assert (
        (a @ b.T) != exact
    ).double().mean() < 0.02  # parts in bfloat16 would round anew in a third of them


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@gpus.from_ampere_on
def test_products_are_rounded_inside_and_exact_outside() -> None:
    draw = torch.Generator("cuda").manual_seed(0)
    a, b = (torch.randn(512, 512, generator=draw, device="cuda") for _ in range(2))
    exact = (a.double() @ b.double()).float()
    with tf32():
        rounded = a @ b
    with full_float32():
        full = a @ b
    assert (full - exact).abs().max() < 1e-3 < (rounded - exact).abs().max() < 1.0
