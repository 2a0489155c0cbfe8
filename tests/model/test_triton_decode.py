"""The Triton kernels of a decode step against PyTorch's operators.

Triton compiles for a GPU or interprets on a CPU, one of both in a process: interpreted where there is no GPU.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.model.cuda_decode import CudaDecodeStep, fastest_kernels
from glm_tts_api.model.decode_step import CpuDecodeStep, Drawn
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm import Llama, LlmConfig, rope_table, rotate
from glm_tts_api.model.llm_runner import LlmRunner
from tests.model import tiny_decode as tiny

HAS_GPU = torch.cuda.is_available()

with pytest.MonkeyPatch.context() as patch:
    if not HAS_GPU:
        patch.setenv("TRITON_INTERPRET", "1")
    pytest.importorskip("triton", reason="Triton is for Linux")
    from glm_tts_api.model import triton_decode, triton_kernels

HEADS, KV_HEADS, DIM, SLOT_LENGTH = 4, 2, 32, 768
N_KEYS = [1, 255, 256, 257, 700, 0]  # around the borders of a split; the last row is idle
DEVICES = [
    pytest.param("cpu", marks=pytest.mark.skipif(HAS_GPU, reason="Triton compiles for the GPU here")),
    pytest.param(
        "cuda", marks=[pytest.mark.gpu, pytest.mark.skipif(not HAS_GPU, reason="needs an NVIDIA GPU")]
    ),
]
both_dtypes = pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 1e-2)], ids=["fp32", "bf16"]
)


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(autouse=True)
def _inference(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not HAS_GPU:
        monkeypatch.setenv("TRITON_INTERPRET", "1")  # Triton imports more of itself with the first launch
        monkeypatch.setattr(triton_decode, "ROW_MULTIPLE", 4)  # each row takes its time
    with torch.inference_mode():
        yield


def _normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _close(found: Tensor, expected: Tensor, tolerance: float) -> None:
    torch.testing.assert_close(found.float().cpu(), expected.float().cpu(), atol=tolerance, rtol=tolerance)


def _lengths(n_keys: Sequence[int], device: str) -> Tensor:
    return torch.tensor(n_keys, dtype=torch.int32, device=device) - 1


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
def test_each_row_attends_over_its_own_keys(device: str, dtype: torch.dtype, tolerance: float) -> None:
    q = _normal(len(N_KEYS), HEADS, DIM).to(device, dtype)
    keys, values = _cached(N_KEYS, q)
    found = triton_kernels.attend(q, (keys, values), _lengths(N_KEYS, device))
    for row, n in enumerate(N_KEYS[:-1]):
        expected = F.scaled_dot_product_attention(
            q[row].float()[None, :, None], keys[row, :, :n].float()[None], values[row, :, :n].float()[None],
            enable_gqa=True,
        )  # fmt: skip
        _close(found[row], expected.flatten(), tolerance)
    assert not found[-1].any(), "an idle row"


@both_dtypes
def test_a_rows_attention_keeps_its_bits_beside_others_and_in_another_slot(
    device: str, dtype: torch.dtype, tolerance: float
) -> None:
    q = _normal(len(N_KEYS), HEADS, DIM).to(device, dtype)
    keys, values = _cached(N_KEYS, q)
    together = triton_kernels.attend(q, (keys, values), _lengths(N_KEYS, device))
    reordered = triton_kernels.attend(
        q.flip(0), (keys.flip(0), values.flip(0)), _lengths(N_KEYS[::-1], device)
    )
    assert together.equal(reordered.flip(0))
    for row in (3, 4):
        alone = [n if i == row else 0 for i, n in enumerate(N_KEYS)]
        found = triton_kernels.attend(q, (keys, values), _lengths(alone, device))
        assert found[row].equal(together[row])


@both_dtypes
def test_sum_and_norm(device: str, dtype: torch.dtype, tolerance: float) -> None:
    """`x` keeps the sum, rounded, and the norm is of that."""
    x, added = (_normal(3, 96, seed=seed).to(device, dtype) for seed in (1, 2))
    weight = _normal(96, seed=3).to(device, dtype)
    expected_sum = x + added
    found = triton_kernels.add_and_norm(x, added, weight, 1e-5)
    _close(x, expected_sum, tolerance)
    _close(found, F.rms_norm(x.float(), (96,), weight.float(), 1e-5), tolerance)


@both_dtypes
def test_silu_times(device: str, dtype: torch.dtype, tolerance: float) -> None:
    gate_up = 4 * _normal(3, 2 * 1100).to(device, dtype)
    gate, up = gate_up.float().chunk(2, 1)
    _close(triton_kernels.silu_times(gate_up), F.silu(gate) * up, tolerance)


@both_dtypes
def test_queries_are_rotated_and_keys_and_values_cached(
    device: str, dtype: torch.dtype, tolerance: float
) -> None:
    lengths = [0, 256, 767, -1]
    config = tiny.CONFIG
    qkv = _normal(4, (HEADS + 2 * KV_HEADS) * DIM).to(device, dtype)
    cos, sin = (table.to(qkv) for table in rope_table(config, config.max_position_embeddings))
    cached = [torch.full((4, KV_HEADS, SLOT_LENGTH, DIM), torch.nan).to(qkv) for _ in range(2)]
    q = triton_kernels.rotate_and_cache(
        qkv, (cos, sin), torch.tensor(lengths, dtype=torch.int32, device=device), cached, HEADS
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
def test_a_step_computes_what_plain_operators_do(device: str, dtype: torch.dtype, tolerance: float) -> None:
    """Slots with 0, 255, 256 and 600 positions, and two without a row."""
    runner = tiny.runner_of(device, dtype)
    plain, ours = tiny.cache_of(runner), tiny.cache_of(runner)
    lengths = torch.tensor([0, 255, -1, 256, 600, -1], device=device)
    for slot, n in enumerate(lengths.tolist()):
        if n > 0:
            ids = torch.arange(n) % tiny.VOCABULARY
            runner.prefill(ids, cache=plain, slot=slot)
    n_read = torch.arange(tiny.SLOT_LENGTH, device=device) < lengths[:, None]
    for mine, other in ((ours.keys, plain.keys), (ours.values, plain.values)):
        mine.copy_(torch.where(n_read[None, :, None, :, None], other, torch.nan))
    ids = torch.tensor([5, 9, 0, 17, 3, 0], device=device)
    found = triton_decode.decode_slots(runner, ids, lengths, cache=ours)
    filled = lengths.remainder(tiny.SLOT_LENGTH)
    expected = runner.decode_slots(ids, filled, cache=plain, n_keys=tiny.SLOT_LENGTH)
    rows = [0, 1, 3, 4]
    _close(found[rows], expected[rows], 10 * tolerance)
    for row in rows:
        at = int(lengths[row])
        _close(ours.keys[:, row, :, at], plain.keys[:, row, :, at], 10 * tolerance)


def _decoded(runner: LlmRunner, slots: Sequence[int], prompts: Sequence[int]) -> dict[int, list[Drawn]]:
    cache = tiny.cache_of(runner)
    step = CudaDecodeStep(runner, cache, end=tiny.END, kernels="triton")
    n_steps = 8 if HAS_GPU else 1  # the interpreter takes seconds
    return tiny.decode(runner, cache, step, slots, prompts=prompts, n_steps=n_steps)


def test_a_row_draws_the_same_bits_alone_beside_others_and_in_another_slot(device: str) -> None:
    runner, plain = tiny.runner_of(device), tiny.runner_of()
    slots = range(tiny.SLOTS)
    together = _decoded(runner, slots, slots)
    for slot in (1, 4):
        assert _decoded(runner, [slot], [1])[1] == together[1]
    cache = tiny.cache_of(plain)
    step = CpuDecodeStep(plain, cache, end=tiny.END)
    expected = tiny.decode(plain, cache, step, slots, n_steps=len(together[0]))
    tiny.assert_same(together, expected, atol=1e-4 if device == "cpu" else 5e-3)


@pytest.mark.gpu
@pytest.mark.skipif(not HAS_GPU, reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32], ids=["bf16", "fp32"])
def test_a_rows_logits_have_the_same_bits_alone_beside_15_and_in_another_slot(dtype: torch.dtype) -> None:
    """Two layers of the official sizes, 20 slots, one row of up to 3000 positions."""
    torch.manual_seed(0)
    llama = Llama(dataclasses.replace(LlmConfig(), num_hidden_layers=2))
    runner = LlmRunner(llama, sampled_ids=range(65535, 98304), device="cuda", dtype=dtype)
    cache = KVCache(runner.config, slots=20, slot_length=3776, dtype=dtype, device="cuda")
    cache.keys.normal_()
    cache.values.normal_()
    beside = torch.tensor([*range(100, 3000, 200), 700, -1, -1, -1, -1], device="cuda")
    for row in (0, 5, 14):
        n = int(beside[row])
        moved = torch.full_like(beside, -1)
        moved[19] = n
        cache.keys[:, 19, :, :n], cache.values[:, 19, :, :n] = (
            cache.keys[:, row, :, :n],
            cache.values[:, row, :, :n],
        )
        alone = torch.where(torch.arange(20, device="cuda") == row, beside, -1)
        ids = torch.full_like(beside, 70000)
        together, by_itself, elsewhere = (
            runner.logits(triton_decode.decode_slots(runner, ids, lengths, cache=cache))
            for lengths in (beside, alone, moved)
        )
        assert together[row].equal(by_itself[row])
        assert together[row].equal(elsewhere[19])
        plain = runner.decode([70000], cache=cache, slots=[row], lengths=[n])
        _close(runner.logits(plain)[0], together[row], 1e-3 if dtype == torch.float32 else 0.1)


@pytest.mark.parametrize("fault", [ImportError("No module named 'triton'"), RuntimeError("no C compiler")])
def test_where_triton_does_not_work_plain_operators_decode_and_the_log_says_what_to_install(
    fault: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    llm, cache = _on_a_faked_gpu(monkeypatch, fault)
    assert fastest_kernels(llm, cache) == "plain"
    assert str(fault) in caplog.text
    assert "apt install gcc python3-dev" in caplog.text


def test_a_gpu_that_is_full_is_no_reason_for_plain_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(torch.OutOfMemoryError):
        fastest_kernels(*_on_a_faked_gpu(monkeypatch, torch.OutOfMemoryError("full")))


def test_a_gpu_on_which_triton_works_decodes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fastest_kernels(*_on_a_faked_gpu(monkeypatch, None)) == "triton"


def test_a_cpu_decodes_with_plain_operators() -> None:
    runner = tiny.runner_of()
    assert CudaDecodeStep(runner, tiny.cache_of(runner), end=tiny.END).kernels == "plain"


def _on_a_faked_gpu(monkeypatch: pytest.MonkeyPatch, fault: Exception | None) -> tuple[Any, Any]:
    """An LLM and its cache, whose first step with Triton ends with `fault`."""
    monkeypatch.setattr(torch, "zeros", lambda *_, **__: torch.tensor([0]))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda _: None)
    monkeypatch.setattr(triton_decode, "decode_slots", MagicMock(side_effect=fault))
    return SimpleNamespace(device=torch.device("cuda")), SimpleNamespace(slots=1)


def test_the_kernels_compile_for_gpus_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process of its own; 64 KiB is the shared memory of the smallest, a T4."""
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    script = Path(__file__).with_name("compile_triton.py")
    told = json.loads(subprocess.check_output([sys.executable, script]))
    assert {name: figures["a_layer"] for name, figures in told.items()} == {
        "bfloat16 sm_80": {"launches": 6, "operators": 4},
        "float32 sm_75": {"launches": 6, "operators": 4},
    }, "four products and what lies between them"
    assert all(figures["shared_bytes"] <= 64 * 1024 for figures in told.values())
