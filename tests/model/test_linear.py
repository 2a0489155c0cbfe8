"""Products whose rows do not depend on one another, in 8 bits exact sums of integers, on any CPU."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from glm_tts_api.model.linear import (
    MOST_ALIKE,
    AlignedHead,
    Int8Linear,
    Linear,
    PackedLinear,
    rounds_by_blocks,
)
from tests.this_cpu import HAS_BF16_UNITS

SHAPES = [(128, 64), (64, 160), (768, 256), (512, 1024)]  # [n, k]
OFFICIAL_SHAPES = [(2048, 2048), (2048, 6144), (768, 1536)]  # of the LLM and of the flow


def _integers(x: Tensor) -> tuple[Tensor, Tensor]:
    """A row's integers from -127 to 127 and what one of them is worth."""
    scale = x.abs().amax(1, keepdim=True) / 127
    return (x / scale).round().double(), scale.double()


def _assert_exact(weight: Tensor, x: Tensor) -> None:
    weights, weight_scale = _integers(weight)
    inputs, input_scale = _integers(x)
    exact = (inputs @ weights.T) * input_scale * weight_scale.T
    torch.testing.assert_close(Int8Linear(weight)(x).double(), exact, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("rows", [4, 300])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_largest_integers_add_up(shape: tuple[int, int], rows: int) -> None:
    """Without VNNI the CPU adds products in pairs to 16 bits, and cuts off what does not fit."""
    n, k = shape
    for weight_sign, input_sign in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        _assert_exact(torch.full((n, k), weight_sign * 0.5), torch.full((rows, k), input_sign * 3.0))


def _packed(weight: Tensor) -> Linear:
    return PackedLinear(weight)


def _packed_bf16(weight: Tensor) -> Linear:
    return PackedLinear(weight.bfloat16())


BF16 = pytest.param(
    _packed_bf16,
    marks=pytest.mark.skipif(not HAS_BF16_UNITS, reason="a CPU without bf16 units promises nothing"),
)


@pytest.mark.parametrize("make", [_packed, BF16, Int8Linear])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_row_has_the_same_bits_among_2_to_500(
    shape: tuple[int, int], make: Callable[[Tensor], Linear]
) -> None:
    draw = torch.Generator().manual_seed(1)
    linear = make(torch.randn(*shape, generator=draw))
    x = torch.randn(500, shape[1], generator=draw)
    if make is _packed_bf16:
        x = x.bfloat16()
    beyond = () if rounds_by_blocks(x.dtype) else (33, 64, 100, 128, 200, 333, 500)
    with torch.inference_mode():
        first = linear(x[:2])
        for rows in (3, 4, 5, 8, 12, 16, 20, 31, MOST_ALIKE, *beyond):
            assert torch.equal(linear(x[:rows])[:2], first), f"{rows} rows"


@pytest.mark.parametrize("make", [_packed, BF16])
@pytest.mark.parametrize("shape", OFFICIAL_SHAPES, ids=str)
def test_wide_products_are_the_same_on_any_number_of_threads(
    shape: tuple[int, int], make: Callable[[Tensor], Linear], one_thread: None
) -> None:
    """With AMX units, two threads gave other bits in bfloat16, and so did more than 32 rows."""
    draw = torch.Generator().manual_seed(1)
    linear = make(torch.randn(*shape, generator=draw))
    x = torch.randn(300, shape[1], generator=draw)
    if make is _packed_bf16:
        x = x.bfloat16()
    with torch.inference_mode():
        few = linear(x[:4])
        for rows in (20, MOST_ALIKE, 50, 128, 300):
            torch.set_num_threads(1)
            alone = linear(x[:rows])
            assert rows > MOST_ALIKE or torch.equal(alone[:4], few), f"{rows} rows"
            for n_threads in (2, 4, 8):
                torch.set_num_threads(n_threads)
                assert torch.equal(linear(x[:rows]), alone), f"{rows} rows on {n_threads} threads"


@pytest.mark.parametrize(
    ("device", "n", "k"),
    [
        ("cpu", 131, 64),
        ("cpu", 192, 64),
        pytest.param(
            "cuda",
            32769,
            2048,
            marks=[
                pytest.mark.gpu,
                pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU"),
            ],
        ),
    ],
)
def test_a_head_gives_float32_in_aligned_rows_and_no_column_that_the_weight_lacks(
    device: str, n: int, k: int
) -> None:
    draw = torch.Generator().manual_seed(0)
    weight = torch.randn(n, k, generator=draw).bfloat16().to(device)
    x = torch.randn(3, k, generator=draw).bfloat16().to(device)
    found = AlignedHead(weight)(x)
    assert (found.shape, found.dtype) == ((3, n), torch.float32)
    torch.testing.assert_close(found.double(), x.double() @ weight.double().T, rtol=1e-5, atol=1e-3)
    assert found.stride(0) % 64 == 0
