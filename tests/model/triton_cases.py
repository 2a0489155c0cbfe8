"""The Triton kernels of a decode step against PyTorch's operators: run by test_triton_decode.py.

A process has Triton either as its interpreter on the CPU (TRITON_INTERPRET=1 before anything imports it) or
as its compiler for a GPU. So these have a process of their own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import triton.language as tl
from torch import Tensor
from triton.runtime import interpreter

from glm_tts_api.model import cuda_decode, draw_kernels, flow_kernels, triton_decode, triton_kernels
from glm_tts_api.model.cuda_decode import CudaDecodeStep
from glm_tts_api.model.decode_step import CpuDecodeStep, Drawn
from glm_tts_api.model.flow import FlowConfig, FlowMatching
from glm_tts_api.model.linear import Fp8Linear, MakeLinear, PackedLinear
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.sampling import HISTORY
from glm_tts_api.model.static_draw import Rules, chances, draw
from tests import gpus
from tests.model import tiny_decode as tiny

DEVICE = "cpu" if os.environ.get("TRITON_INTERPRET") == "1" else "cuda"

HEADS, KV_HEADS, DIM, SLOT_LENGTH = 4, 2, 32, 768
FLOW = FlowConfig(
    trans_dim=96, depth=2, heads=2, dim_head=24, text_emb_dim=48, conv_layers=1, text_vocab_size=99
)
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


@gpus.with_fp8
@pytest.mark.parametrize(("rows", "shape"), [(4, (96, 320)), (33, (160, 96)), (20, (4100, 64))])
def test_products_with_weights_in_fp8_are_those_of_plain_operators(rows: int, shape: tuple[int, int]) -> None:
    """Of few and of many rows; a row has the same bits among fewer rows."""
    linear = Fp8Linear(_normal(*shape).to(DEVICE, torch.bfloat16))
    x = _normal(rows, shape[1], seed=1).to(DEVICE, torch.bfloat16)
    found = triton_kernels.product(linear, x)
    _close(found, linear(x), 1e-2)
    assert triton_kernels.product(linear, x[:3]).equal(found[:3])


@pytest.mark.parametrize(
    ("dtype", "tolerance", "linear"),
    [
        pytest.param(torch.float32, 1e-5, PackedLinear, id="fp32"),
        pytest.param(torch.bfloat16, 1e-2, PackedLinear, id="bf16", marks=gpus.from_ampere_on),
        pytest.param(torch.bfloat16, 1e-2, Fp8Linear, id="fp8", marks=gpus.with_fp8),
    ],
)
def test_a_step_computes_what_plain_operators_do(
    dtype: torch.dtype, tolerance: float, linear: MakeLinear
) -> None:
    """Slots with 0, 255, 256 and 600 positions, and two without a row."""
    runner = tiny.runner_of(DEVICE, dtype, linear)
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
    expected = runner.decode_slots(ids, filled, cache=plain)
    rows = [0, 1, 3, 4]
    _close(found[rows], expected[rows], 10 * tolerance)
    for row in rows:
        at = int(lengths[row])
        _close(ours.keys[:, row, :, at], plain.keys[:, row, :, at], 10 * tolerance)
        _close(ours.queries[row, at], plain.queries[row, at], 10 * tolerance)
        assert ours.queries[row].any(-1).sum() == 1, "no other position is written"


def _numpys_topk(x: Any, k: int) -> Any:
    """The interpreter takes 0.1 s for Triton's own."""
    best = np.sort(x.handle.data)[::-1][:k].copy()
    return tl.tensor(interpreter.TensorHandle(best, tl.int64), tl.block_type(tl.int64, [k]))


@pytest.mark.parametrize(("n_rows", "n_columns"), [(8, 300), (100, 130), (100, 300)])
def test_draws_are_those_of_plain_operators(
    n_rows: int, n_columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of all rules; logits of which many are equal, also at the 100th place; some rows may not end."""
    monkeypatch.setattr(draw_kernels, "_TILE", 128)
    if DEVICE == "cpu" and n_rows > 8:
        monkeypatch.setattr(tl, "topk", _numpys_topk)
    end, steps = n_columns - 1, 2
    logits = (3 * _normal(n_rows, n_columns, seed=n_columns)).bfloat16().float()
    logits[::5] = logits[::5].round()
    logits[1::7, end] = 9.0
    seeded = torch.Generator().manual_seed(1)
    limit = torch.tensor([1, 5, 25, 100])[torch.arange(n_rows) % 4]
    nucleus, may_end, place = (torch.randint(0, 2, (n_rows,), generator=seeded) for _ in range(3))
    recent = logits.argsort(1, descending=True)[:, :HISTORY]
    recent[::2] = -1
    noise = torch.empty(n_rows, steps, 2, n_columns).exponential_(generator=seeded)
    rules = Rules(limit, nucleus.bool(), may_end.bool(), recent)
    expected = draw(logits, rules, end=end, noise=noise[torch.arange(n_rows), place])
    zeros = torch.zeros_like(limit)
    fields = torch.column_stack([zeros, zeros, limit, nucleus, may_end, place, recent])
    p, out = chances(logits, end, barred=nucleus > may_end).to(DEVICE), torch.zeros(n_rows, 2, device=DEVICE)
    draw_kernels.draw(p, fields.to(DEVICE), noise.to(DEVICE), out, end=end)
    assert out[:, 0].tolist() == expected.columns.tolist()
    _close(out[:, 1], expected.log_probs, 1e-5)
    p[3] = torch.nan
    draw_kernels.draw(p, fields.to(DEVICE), noise.to(DEVICE), out, end=end)
    assert out[:, 1].isnan().nonzero().flatten().tolist() == [3]


@both_dtypes
def test_the_flows_blocks_compute_what_plain_operators_do(dtype: torch.dtype, tolerance: float) -> None:
    """A window of 30 true frames of 64, whose places do not begin at 0."""
    torch.manual_seed(0)
    flow = FlowMatching(FLOW).eval().to(DEVICE)
    if dtype == torch.bfloat16:
        flow.pack(dtype)
    padding = (torch.arange(64, device=DEVICE) < 30)[None].repeat(2, 1)
    x, cond, tokens = (_normal(2, 64, n, seed=n).to(DEVICE) for n in (80, 80, FLOW.text_emb_dim))
    parts = flow.estimator.speaker_parts(_normal(2, 192).to(DEVICE))
    optional = {"padding": padding, "mask": padding[:, None, None]}
    optional["positions"] = torch.arange(500, 564, device=DEVICE).repeat(2, 1)
    plain, fused = (
        flow.estimator.velocity(x, cond, tokens, modulation=parts, **optional)
        for flow.estimator.transform in (None, flow_kernels.transform)
    )
    assert not plain.equal(fused) or DEVICE == "cpu"
    _close(fused[:, :30], plain[:, :30], tolerance)


@both_dtypes
def test_a_prompt_is_read_as_plain_operators_read_it(
    dtype: torch.dtype, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In two chunks, into the second slot, whose other positions hold no numbers; and what a row reads has
    the same bits whatever stands behind it in its chunk."""
    monkeypatch.setattr(cuda_decode, "PROMPT_SIZES", (16, 32))
    runner = tiny.runner_of(DEVICE, dtype)
    plain, ours = tiny.cache_of(runner), tiny.cache_of(runner)
    ours.keys[:], ours.values[:] = torch.nan, torch.nan
    prefill = CudaDecodeStep(runner, ours, end=tiny.END, kernels="triton").prefill
    ids = (torch.arange(40) * 7 % tiny.VOCABULARY).tolist()
    for start, end in ((0, 13), (13, 40)):
        prefill(ids[start:end], slot=1, start=start)
        runner.prefill(ids[start:end], cache=plain, slot=1, start=start)
    for mine, other in zip(ours.read(1, 40), plain.read(1, 40), strict=True):
        _close(mine, other, 20 * tolerance)
    assert ours.keys[:, 0].isnan().all()
    assert ours.keys[:, 1, :, 40:].isnan().all()
    before = ours.read(1, 30)
    prefill(ids[13:30], slot=1, start=13)
    assert all(now.equal(then) for now, then in zip(ours.read(1, 30), before, strict=True))


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
