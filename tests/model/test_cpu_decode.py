"""The compiled kernels of a decode step on a CPU: equal to PyTorch's operators, and to themselves."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from glm_tts_api.model import cpu_kernels, decode_step, linear
from glm_tts_api.model.cpu_kernels import CpuKernels
from glm_tts_api.model.decode_step import CpuDecodeStep
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm import Llama, LlmConfig
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.threads import at_most
from tests.compiled import compiled_kernels
from tests.model.tiny_decode import cache_of
from tests.this_cpu import HAS_AVX512, HAS_BF16_UNITS, HAS_DECODE_KERNELS

pytestmark = pytest.mark.usefixtures("inference")
SLOTS, SLOT_LENGTH, VOCABULARY = 16, 300, 257
SIZES: dict[str, dict[str, Any]] = {
    "heads of 16 numbers": {"hidden_size": 64, "intermediate_size": 160, "num_attention_heads": 4,
                            "num_key_value_heads": 2, "head_dim": 16},
    "like the bundled model": {"hidden_size": 256, "intermediate_size": 704, "num_attention_heads": 4,
                               "num_key_value_heads": 4, "head_dim": 64},
    "wide": {"hidden_size": 512, "intermediate_size": 1536, "num_attention_heads": 8,
             "num_key_value_heads": 2, "head_dim": 128},
}  # fmt: skip
PRECISIONS: dict[str, dict[str, Any]] = {
    "fp32": {"dtype": torch.float32},
    "int8": {"dtype": torch.float32, "linear": linear.Int8Linear},
    "int8 in pairs": {"dtype": torch.float32, "linear": linear.Int8Linear},  # of a CPU without VNNI
    "bf16": {"dtype": torch.bfloat16},
}
N_READ = [37, 299, 1, 128, 127, 200, 5, 31, 32, 33, 64, 2, 63, 65, 257, 8]  # positions of each slot
each_size = pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES.keys())
each_precision = pytest.mark.parametrize("precision", PRECISIONS.keys())


@pytest.fixture
def kernels() -> CpuKernels:
    if not HAS_DECODE_KERNELS:
        pytest.skip("the kernels need AVX2 and GCC: apt install gcc libc6-dev")
    found = compiled_kernels()
    assert found
    return found


@functools.cache
def built(sizes: tuple[tuple[str, Any], ...], precision: str) -> LlmRunner:
    torch.manual_seed(3)
    fixed: dict[str, Any] = {"vocab_size": VOCABULARY, "num_hidden_layers": 2, "max_position_embeddings": 512}
    llama = Llama(LlmConfig(**fixed, **dict(sizes)))
    for name, parameter in llama.named_parameters():
        nn.init.normal_(parameter, mean=float("norm" in name), std=1 / parameter.shape[-1] ** 0.5)
    return LlmRunner(llama, sampled_ids=range(100, 231), device="cpu", **PRECISIONS[precision])


@pytest.fixture
def runner(sizes: dict[str, Any], precision: str, monkeypatch: pytest.MonkeyPatch) -> LlmRunner:
    """Built once for all tests: those that change its weights change them back."""
    if precision == "bf16" and not HAS_BF16_UNITS:
        pytest.skip("oneDNN packs no bf16 here")
    if precision == "int8 in pairs":
        monkeypatch.setattr(linear, "_sums_of_pairs_saturate", lambda: True)
    return built(tuple(sizes.items()), precision)


def filled(runner: LlmRunner) -> KVCache:
    """Holds N_READ random positions of each slot; all other positions are NaN."""
    cache = cache_of(runner, SLOTS, SLOT_LENGTH)
    draw = torch.Generator().manual_seed(5)
    for each in (cache.keys, cache.values):
        each.fill_(torch.nan)
        for slot, n in enumerate(N_READ):
            each[:, slot, :, :n] = torch.randn(each[:, slot, :, :n].shape, generator=draw)
    return cache


def steps(
    runner: LlmRunner, kernels: CpuKernels, cache: KVCache, slots: list[int], row_multiple: int | None = None
) -> Tensor:
    """The hidden states of one step of each slot, [slots, D]."""
    return decode_step.decode(
        runner,
        kernels,
        [7 * slot for slot in slots],
        read=decode_step.activation_numbers(runner),
        cache=cache,
        slots=slots,
        lengths=[N_READ[slot] for slot in slots],
        row_multiple=row_multiple,
    )


def by_pytorch(runner: LlmRunner, cache: KVCache, slots: list[int]) -> Tensor:
    """What `steps` has to give."""
    lengths = [N_READ[slot] for slot in slots]
    return runner.decode([7 * slot for slot in slots], cache=cache, slots=slots, lengths=lengths)


def assert_close(found: Tensor, expected: Tensor, precision: str) -> None:
    """Integers and bfloat16 round a number the other way now and then."""
    off = (found.float() - expected.float()).norm() / expected.float().norm()
    assert off <= (2e-6 if precision == "fp32" else 0.02)


@each_size
@each_precision
@pytest.mark.parametrize("row_multiple", [None, 24])
def test_a_step_is_that_of_pytorch_s_operators(
    runner: LlmRunner, kernels: CpuKernels, precision: str, row_multiple: int | None
) -> None:
    before, ours, plain, slots = filled(runner), filled(runner), filled(runner), [3, 0, 1, 2, 9, 15]
    assert_close(
        steps(runner, kernels, ours, slots, row_multiple), by_pytorch(runner, plain, slots), precision
    )
    for name in ("keys", "values"):
        was, mine, theirs = (getattr(each, name) for each in (before, ours, plain))
        for slot in slots:
            new = (slice(None), slot, slice(None), N_READ[slot])
            assert_close(mine[new], theirs[new], precision)
            was[new] = mine[new]
        torch.testing.assert_close(mine, was, rtol=0, atol=0, equal_nan=True)  # no other position is written
    queries, expected = (
        torch.stack([each.queries[slot, N_READ[slot]] for slot in slots]) for each in (ours, plain)
    )
    assert_close(queries, expected, precision)
    assert ours.queries.any(-1).sum() == len(slots)


@each_size
@each_precision
def test_a_row_s_bits_depend_on_nothing_else(runner: LlmRunner, kernels: CpuKernels) -> None:
    cache, everyone = filled(runner), [*reversed(range(SLOTS))]  # a step reads nothing that another wrote
    alone = torch.cat([steps(runner, kernels, cache, [slot]) for slot in everyone])
    before = torch.get_num_threads()
    torch.set_num_threads(8)
    try:
        for n_threads in (1, 2, 4, 8):
            with at_most(n_threads):
                for some in (everyone, everyone[3:10]):
                    expected = alone[[everyone.index(slot) for slot in some]]
                    assert torch.equal(steps(runner, kernels, cache, some), expected), (n_threads, len(some))
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(("sizes", "precision"), [(SIZES["wide"], "fp32")])
@pytest.mark.parametrize("size", [1e-3, 1e3])
def test_numbers_that_do_not_fit_an_exponential(
    runner: LlmRunner, kernels: CpuKernels, precision: str, size: float
) -> None:
    """Scores and gates of thousands."""
    ours, plain = filled(runner), filled(runner)
    for cache in (ours, plain):
        cache.keys.mul_(size)
    norms = [layer.mlp_norm for layer in runner.layers]
    before = [norm.clone() for norm in norms]
    torch._foreach_mul_(norms, size)
    found = steps(runner, kernels, ours, [0, 1]), by_pytorch(runner, plain, [0, 1])
    torch._foreach_copy_(norms, before)
    assert_close(*found, precision)


@pytest.mark.parametrize("sizes", [SIZES["heads of 16 numbers"]])
@each_precision
@pytest.mark.parametrize("what", ["embedding", "keys", "values"])
@pytest.mark.parametrize("number", [torch.nan, torch.inf])
def test_a_row_with_a_number_that_is_not_finite_is_not_finite_and_no_other_row(
    runner: LlmRunner, kernels: CpuKernels, what: str, number: float
) -> None:
    """The engine ends such a sequence with an error. A finite result would be noise."""
    cache, before = filled(runner), runner.embedding[7, 3].clone()
    if what == "embedding":
        runner.embedding[7, 3] = number
    else:
        getattr(cache, what)[1, 1, 1, 0, 3] = number
    hidden = steps(runner, kernels, cache, [0, 1, 3])
    runner.embedding[7, 3] = before
    assert hidden.isfinite().all(1).tolist() == [True, False, True]


@pytest.mark.skipif(not HAS_AVX512, reason="this CPU has vectors of one width")
@each_size
@each_precision
def test_vectors_of_either_width_give_the_same_bits(
    runner: LlmRunner, kernels: CpuKernels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    narrow = cpu_kernels.load(tmp_path)
    assert narrow
    cache, everyone = filled(runner), list(range(SLOTS))
    assert torch.equal(steps(runner, narrow, cache, everyone), steps(runner, kernels, cache, everyone))


@pytest.mark.parametrize("precision", ["fp32"])
@pytest.mark.parametrize(
    ("sizes", "found"),
    [
        (SIZES["wide"], "c"),
        (SIZES["wide"] | {"head_dim": 24}, "plain"),
        (SIZES["wide"] | {"hidden_size": 500}, "plain"),
    ],
)
def test_a_decode_step_says_which_kernels_it_uses_and_leaves_widths_that_are_no_whole_vectors_to_pytorch(
    runner: LlmRunner, kernels: CpuKernels, found: str
) -> None:
    cache = KVCache(runner.config, slots=1, slot_length=9, dtype=runner.dtype, device=runner.device)
    assert CpuDecodeStep(runner, cache, end=130, compiled=kernels).kernels == found
    assert CpuDecodeStep(runner, cache, end=130).kernels == "plain"
