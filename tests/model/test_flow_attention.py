"""The flow's attention in bfloat16 on a CPU: near the exact one, and the same bits whatever is beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.model.flow.dit import attend
from glm_tts_api.model.linear import can_pack

pytestmark = pytest.mark.skipif(not can_pack(torch.bfloat16), reason="oneDNN has no bfloat16 here")
_LENGTHS = (128, 201, 350)


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    with torch.inference_mode():
        yield
    torch.set_num_threads(before)


@pytest.fixture(params=[False, True], ids=["head by head", "as with AMX units"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glm_tts_api.model.flow.dit.has_amx_units", lambda: request.param)


def heads(length: int, n_rows: int = 2, n_heads: int = 3) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values as the projections leave them."""
    draw = torch.Generator().manual_seed(length)
    q, k, v = torch.randn(3, n_rows, length, n_heads * 64, generator=draw).mul(1.5).bfloat16()
    q, k, v = (z.unflatten(-1, (n_heads, -1)).transpose(1, 2) for z in (q, k, v))
    return q, k, v


@pytest.mark.parametrize("length", _LENGTHS)
def test_head_by_head_it_is_as_near_to_the_exact_attention_as_the_fused_kernel(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glm_tts_api.model.flow.dit.has_amx_units", lambda: False)
    q, k, v = heads(length)
    exact = F.scaled_dot_product_attention(q.double(), k.double(), v.double())
    fused = F.scaled_dot_product_attention(q, k, v)
    error, fused_error = ((y.double() - exact).abs().mean() for y in (attend(q, k, v, None), fused))
    assert error < 1.5 * fused_error


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("length", _LENGTHS)
def test_neither_threads_nor_other_rows_and_heads_change_a_bit(length: int) -> None:
    q, k, v = heads(length)
    torch.set_num_threads(1)
    wanted = attend(q, k, v, None)
    for n_threads in (2, 4, 8):
        torch.set_num_threads(n_threads)
        assert torch.equal(attend(q, k, v, None), wanted)
    one = (slice(1, 2), slice(2, 3))
    assert torch.equal(attend(q[one], k[one], v[one], None), wanted[one])
