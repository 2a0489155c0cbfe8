"""A decode step on the CPU, with more rows than the products of some CPUs round alike."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from glm_tts_api.model.cpu_kernels import CpuKernels
from glm_tts_api.model.decode_step import CpuDecodeStep, Drawn
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm import LlmConfig
from glm_tts_api.model.llm_runner import LlmRunner
from tests.compiled import compiled_kernels
from tests.model.tiny_decode import likeliest, llama
from tests.this_cpu import HAS_BF16_UNITS, HAS_DECODE_KERNELS

SLOTS, N_READ = 40, 20


@pytest.fixture
def runner() -> LlmRunner:
    wide = LlmConfig(
        vocab_size=257, hidden_size=512, intermediate_size=1408, num_hidden_layers=1,
        num_attention_heads=8, num_key_value_heads=2, head_dim=64,
    )  # fmt: skip
    return LlmRunner(llama(wide), sampled_ids=range(100, 231), device="cpu", dtype=torch.bfloat16)


class Drawing:
    """Draws a token for some of forty rows, each with a prompt of its own."""

    def __init__(
        self, runner: LlmRunner, *, fixed_shape: bool = False, compiled: CpuKernels | None = None
    ) -> None:
        cache = KVCache(runner.config, slots=SLOTS, slot_length=64, dtype=runner.dtype, device="cpu")
        for slot in range(SLOTS):
            runner.prefill([(slot + place) % 257 for place in range(N_READ)], cache=cache, slot=slot)
        self.step = CpuDecodeStep(runner, cache, end=130, fixed_shape=fixed_shape, compiled=compiled)

    def __call__(self, slots: range) -> list[Drawn]:
        return self.step([likeliest(slot, 7 * slot % 257, N_READ) for slot in slots])


@pytest.mark.skipif(not HAS_BF16_UNITS, reason="a CPU without bf16 units promises nothing")
@pytest.mark.parametrize(
    "kernels",
    ["plain", pytest.param("c", marks=pytest.mark.skipif(not HAS_DECODE_KERNELS, reason="apt install gcc"))],
)
@torch.inference_mode()
def test_a_row_is_the_same_alone_and_among_forty_in_bfloat16(runner: LlmRunner, kernels: str) -> None:
    """With AMX units a row had other bits among more than 32 than among fewer."""
    draw = Drawing(runner, compiled=compiled_kernels() if kernels == "c" else None)
    assert draw.step.kernels == kernels
    together = draw(range(SLOTS))
    assert [draw(range(slot, slot + 1))[0] for slot in range(SLOTS)] == together


@pytest.mark.parametrize(
    ("most_rows", "fixed_shape", "n_rows"), [(32, False, [32, 8]), (32, True, [32, 32]), (64, True, [40])]
)
@torch.inference_mode()
def test_rows_are_computed_in_groups(
    runner: LlmRunner, most_rows: int, fixed_shape: bool, n_rows: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "most_rows", most_rows)
    draw, found, product = Drawing(runner, fixed_shape=fixed_shape), [], runner.layers[0].qkv

    def seen(x: Tensor) -> Tensor:
        found.append(len(x))
        return product(x)

    monkeypatch.setattr(runner.layers[0], "qkv", seen)
    draw(range(SLOTS))
    assert found == n_rows
