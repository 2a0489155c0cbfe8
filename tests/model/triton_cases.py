"""The Triton kernels of a decode step against PyTorch's operators: run by test_triton_decode.py.

A process has Triton either as its interpreter on the CPU (TRITON_INTERPRET=1 before anything imports it) or
as its compiler for a GPU. So these have a process of their own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.model import triton_decode, triton_kernels
from glm_tts_api.model.cuda_decode import CudaDecodeStep
from glm_tts_api.model.decode_step import CpuDecodeStep, Drawn
from glm_tts_api.model.llm import rope_table, rotate
from glm_tts_api.model.llm_runner import LlmRunner
from tests import gpus
from tests.model import tiny_decode as tiny

DEVICE = "cpu" if os.environ.get("TRITON_INTERPRET") == "1" else "cuda"

HEADS, KV_HEADS, DIM, SLOT_LENGTH = 4, 2, 32, 768
N_KEYS = [1, 255, 256, 257, 700, 0]  # around the borders of a split; the last row is idle
both_dtypes = pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [
        pytest.param(torch.float32, 1e-5, id="fp32"),
        pytest.param(torch.bfloat16, 1e-2, id="bf16", marks=gpus.from_ampere_on),
    ],
)


@pytest.fixture(autouse=True)
def _inference(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if DEVICE == "cpu":
        monkeypatch.setattr(triton_decode, "ROW_MULTIPLE", 4)  # the interpreter takes its time for each row
    with torch.inference_mode():
        yield


def _normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _close(found: Tensor, expected: Tensor, tolerance: float) -> None:
    torch.testing.assert_close(found.float().cpu(), expected.float().cpu(), atol=tolerance, rtol=tolerance)


def _lengths(n_keys: Sequence[int]) -> Tensor:
    return torch.tensor(n_keys, dtype=torch.int32, device=DEVICE) - 1


def _cached(n_keys: Sequence[int], to: Tensor) -> tuple[Tensor, Tensor]:
    """Keys and values of a layer; what lies behind a row's keys is no number."""
    tensors = []
    for seed in (1, 2):
        whole = _normal(len(n_keys), KV_HEADS, SLOT_LENGTH, DIM, seed=seed)
        for row, n in enumerate(n_keys):
            whole[row, :, n:] = torch.nan
        tensors.append(whole.to(to))
    return tensors[0], tensors[1]


@both_dtypes
def test_each_row_attends_over_its_own_keys(dtype: torch.dtype, tolerance: float) -> None:
    q = _normal(len(N_KEYS), HEADS, DIM).to(DEVICE, dtype)
    keys, values = _cached(N_KEYS, q)
    found = triton_kernels.attend(q, (keys, values), _lengths(N_KEYS))
    for row, n in enumerate(N_KEYS[:-1]):
        expected = F.scaled_dot_product_attention(
            q[row].float()[None, :, None], keys[row, :, :n].float()[None], values[row, :, :n].float()[None],
            enable_gqa=True,
        )  # fmt: skip
        _close(found[row], expected.flatten(), tolerance)
    assert not found[-1].any(), "an idle row"


@both_dtypes
def test_a_rows_attention_keeps_its_bits_beside_others_and_in_another_slot(
    dtype: torch.dtype, tolerance: float
) -> None:
    q = _normal(len(N_KEYS), HEADS, DIM).to(DEVICE, dtype)
    keys, values = _cached(N_KEYS, q)
    together = triton_kernels.attend(q, (keys, values), _lengths(N_KEYS))
    reordered = triton_kernels.attend(q.flip(0), (keys.flip(0), values.flip(0)), _lengths(N_KEYS[::-1]))
    assert together.equal(reordered.flip(0))
    for row in (3, 4):
        alone = [n if i == row else 0 for i, n in enumerate(N_KEYS)]
        found = triton_kernels.attend(q, (keys, values), _lengths(alone))
        assert found[row].equal(together[row])


@both_dtypes
def test_sum_and_norm(dtype: torch.dtype, tolerance: float) -> None:
    """`x` keeps the sum, rounded, and the norm is of that."""
    x, added = (_normal(3, 96, seed=seed).to(DEVICE, dtype) for seed in (1, 2))
    weight = _normal(96, seed=3).to(DEVICE, dtype)
    expected_sum = x + added
    found = triton_kernels.add_and_norm(x, added, weight, 1e-5)
    _close(x, expected_sum, tolerance)
    _close(found, F.rms_norm(x.float(), (96,), weight.float(), 1e-5), tolerance)


@both_dtypes
def test_silu_times(dtype: torch.dtype, tolerance: float) -> None:
    gate_up = 4 * _normal(3, 2 * 1100).to(DEVICE, dtype)
    gate, up = gate_up.float().chunk(2, 1)
    _close(triton_kernels.silu_times(gate_up), F.silu(gate) * up, tolerance)


@both_dtypes
def test_queries_are_rotated_and_keys_and_values_cached(dtype: torch.dtype, tolerance: float) -> None:
    lengths = [0, 256, 767, -1]
    config = tiny.CONFIG
    qkv = _normal(4, (HEADS + 2 * KV_HEADS) * DIM).to(DEVICE, dtype)
    cos, sin = (table.to(qkv) for table in rope_table(config, config.max_position_embeddings))
    cached = [torch.full((4, KV_HEADS, SLOT_LENGTH, DIM), torch.nan).to(qkv) for _ in range(2)]
    q = triton_kernels.rotate_and_cache(
        qkv, (cos, sin), torch.tensor(lengths, dtype=torch.int32, device=DEVICE), cached, HEADS
    )
    heads = qkv.view(4, -1, DIM)
    for row, length in enumerate(lengths[:-1]):
        rotated = rotate(heads[row, : HEADS + KV_HEADS].float(), cos[length].float(), sin[length].float())
        _close(q[row], rotated[:HEADS], tolerance)
        _close(cached[0][row, :, length], rotated[HEADS:], tolerance)
        assert cached[1][row, :, length].equal(heads[row, HEADS + KV_HEADS :])
    written = [int(tensor.isfinite().sum()) for tensor in cached]
    assert written == [3 * KV_HEADS * DIM] * 2, "each row's position, and nothing for an idle row"


@both_dtypes
def test_a_step_computes_what_plain_operators_do(dtype: torch.dtype, tolerance: float) -> None:
    """Slots with 0, 255, 256 and 600 positions, and two without a row."""
    runner = tiny.runner_of(DEVICE, dtype)
    plain, ours = tiny.cache_of(runner), tiny.cache_of(runner)
    lengths = torch.tensor([0, 255, -1, 256, 600, -1], device=DEVICE)
    for slot, n in enumerate(lengths.tolist()):
        if n > 0:
            ids = torch.arange(n) % tiny.VOCABULARY
            runner.prefill(ids, cache=plain, slot=slot)
    n_read = torch.arange(tiny.SLOT_LENGTH, device=DEVICE) < lengths[:, None]
    for mine, other in ((ours.keys, plain.keys), (ours.values, plain.values)):
        mine.copy_(torch.where(n_read[None, :, None, :, None], other, torch.nan))
    ids = torch.tensor([5, 9, 0, 17, 3, 0], device=DEVICE)
    found = triton_decode.decode_slots(runner, ids, lengths, cache=ours)
    filled = lengths.remainder(tiny.SLOT_LENGTH)
    expected = runner.decode_slots(ids, filled, cache=plain, n_keys=tiny.SLOT_LENGTH)
    rows = [0, 1, 3, 4]
    _close(found[rows], expected[rows], 10 * tolerance)
    for row in rows:
        at = int(lengths[row])
        _close(ours.keys[:, row, :, at], plain.keys[:, row, :, at], 10 * tolerance)
        _close(ours.queries[row, at], plain.queries[row, at], 10 * tolerance)
        assert ours.queries[row].any(-1).sum() == 1, "no other position is written"


def _decoded(runner: LlmRunner, slots: Sequence[int], prompts: Sequence[int]) -> dict[int, list[Drawn]]:
    cache = tiny.cache_of(runner)
    step = CudaDecodeStep(runner, cache, end=tiny.END, kernels="triton")
    n_steps = 8 if DEVICE == "cuda" else 1  # the interpreter takes seconds
    return tiny.decode(runner, cache, step, slots, prompts=prompts, n_steps=n_steps)


def test_a_row_draws_the_same_bits_alone_beside_others_and_in_another_slot() -> None:
    runner, plain = tiny.runner_of(DEVICE), tiny.runner_of()
    slots = range(tiny.SLOTS)
    together = _decoded(runner, slots, slots)
    assert _decoded(runner, [4], [1])[1] == together[1], "alone, and in slot 4 in place of 1"
    cache = tiny.cache_of(plain)
    step = CpuDecodeStep(plain, cache, end=tiny.END)
    expected = tiny.decode(plain, cache, step, slots, n_steps=len(together[0]))
    tiny.assert_same(together, expected, atol=1e-4 if DEVICE == "cpu" else 5e-3)
