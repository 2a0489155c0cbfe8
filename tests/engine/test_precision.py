"""TF32 is for the flow alone, though PyTorch's switch is one for the process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from glm_tts_api.engine.precision import compute_exactly, full_float32, tf32


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


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_products_are_rounded_inside_and_exact_outside() -> None:
    draw = torch.Generator("cuda").manual_seed(0)
    a, b = (torch.randn(512, 512, generator=draw, device="cuda") for _ in range(2))
    exact = (a.double() @ b.double()).float()
    with tf32():
        rounded = a @ b
    with full_float32():
        full = a @ b
    assert (full - exact).abs().max() < 1e-3 < (rounded - exact).abs().max() < 1.0
