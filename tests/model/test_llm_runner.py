"""Decoding in batches: equal to transformers, and to itself whatever the neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.linear import Int8Linear, PackedLinear
from glm_tts_api.model.llm import Llama, LlmConfig
from glm_tts_api.model.llm_runner import LlmRunner
from tests.model.tiny_decode import llama
from tests.this_cpu import HAS_BF16_UNITS

pytestmark = pytest.mark.usefixtures("inference")
SLOTS, SLOT_LENGTH, VOCABULARY = 16, 700, 257
SIZES = {
    "tiny": {"hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 2, "num_attention_heads": 4,
             "num_key_value_heads": 2, "head_dim": 32},
    "like the bundled model": {"hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 2,
                               "num_attention_heads": 4, "num_key_value_heads": 4, "head_dim": 64},
    "wide": {"hidden_size": 512, "intermediate_size": 3072, "num_hidden_layers": 1, "num_attention_heads": 8,
             "num_key_value_heads": 2, "head_dim": 128},
}  # fmt: skip


def _config(**sizes: Any) -> LlmConfig:
    return LlmConfig(vocab_size=VOCABULARY, max_position_embeddings=1024, **sizes)


def _llama(**sizes: int) -> Llama:
    return llama(_config(**sizes))


def _runner(llama: Llama, *, dtype: torch.dtype = torch.float32, **linear: Any) -> LlmRunner:
    return LlmRunner(llama, sampled_ids=range(100, 231), device="cpu", dtype=dtype, **linear)


def _cache(runner: LlmRunner) -> KVCache:
    return KVCache(
        runner.config, slots=SLOTS, slot_length=SLOT_LENGTH, dtype=runner.dtype, device=runner.device
    )


def _prompt(row: int) -> list[int]:
    """Lengths 1 to 650 in no order."""
    generator = torch.Generator().manual_seed(row)
    length = [37, 650, 1, 128, 127, 300, 5, 511, 513, 64, 90, 2, 400, 33, 257, 8][row]
    return torch.randint(0, VOCABULARY, (length,), generator=generator).tolist()


def _read(runner: LlmRunner, rows: Sequence[int], slots: Sequence[int]) -> KVCache:
    """A cache whose slots hold the prompts of the rows."""
    cache = _cache(runner)
    for row, slot in zip(rows, slots, strict=True):
        runner.prefill(_prompt(row), cache=cache, slot=slot)
    return cache


def _decode(
    runner: LlmRunner, rows: Sequence[int], slots: Sequence[int], cache: KVCache | None = None
) -> dict[int, Tensor]:
    """Logits of three decode steps of each row [3, columns], the rows decoded together."""
    cache = cache or _read(runner, rows, slots)
    lengths = [len(_prompt(row)) for row in rows]
    outputs = []
    for step in range(3):
        ids = [(7 * row + step) % VOCABULARY for row in rows]
        hidden = runner.decode(ids, cache=cache, slots=slots, lengths=[n + step for n in lengths])
        outputs.append(runner.logits(hidden))
    return {row: torch.stack([logits[i] for logits in outputs]) for i, row in enumerate(rows)}


PRECISIONS = [
    pytest.param({}, id="fp32"),
    pytest.param({"linear": Int8Linear}, id="int8"),
    pytest.param(
        {"dtype": torch.bfloat16},
        id="bf16",
        marks=pytest.mark.skipif(not HAS_BF16_UNITS, reason="a CPU without bf16 units promises nothing"),
    ),
]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES.keys())
def test_a_row_is_bit_equal_alone_and_among_others(sizes: dict[str, int], precision: dict[str, Any]) -> None:
    runner, slots = _runner(_llama(**sizes), **precision), range(SLOTS)[::-1]
    cache = _read(runner, range(SLOTS), slots)
    for row in (0, 1):
        alone = _decode(runner, [row], [0])[row]
        for n_neighbours in (1, 15):
            others = [other for other in range(SLOTS) if other != row][:n_neighbours]
            rows = [*others[: n_neighbours // 2], row, *others[n_neighbours // 2 :]]
            together = _decode(runner, rows, [slots[each] for each in rows], cache)[row]
            assert torch.equal(alone, together), f"row {row} with {n_neighbours} neighbours"


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES.keys())
def test_8_bit_weights_stay_close_to_the_full_ones(sizes: dict[str, int]) -> None:
    """Each product errs by about a hundredth; weights and inputs here are as random as can be."""
    llama = _llama(**sizes)
    full, small = (_decode(_runner(llama, linear=kind), [0], [0])[0] for kind in (PackedLinear, Int8Linear))
    assert 0 < (small - full).norm() / full.norm() < 0.1


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES.keys())
def test_decoding_equals_transformers_on_the_whole_sequence(sizes: dict[str, int]) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    llama = _llama(**sizes)
    runner = _runner(llama)
    reference = LlamaForCausalLM(
        LlamaConfig(vocab_size=VOCABULARY, max_position_embeddings=1024, rms_norm_eps=1e-5,
                    tie_word_embeddings=True, **sizes)
    ).eval()  # fmt: skip
    reference.load_state_dict({**llama.state_dict(), "lm_head.weight": llama.head_weight})
    rows = [0, 3, 6]
    decoded = _decode(runner, rows, [4, 0, 9])
    for row in rows:
        fed = [(7 * row + step) % VOCABULARY for step in range(3)]
        logits = reference(torch.tensor([_prompt(row) + fed])).logits[0, -3:, 100:231]
        torch.testing.assert_close(decoded[row], logits, atol=2e-4, rtol=1e-4)


def test_a_prompt_may_be_read_in_chunks() -> None:
    llama = _llama(**SIZES["tiny"])
    runner = _runner(llama)
    prompt = _prompt(5)
    cache = _cache(runner)
    whole = runner.prefill(prompt, cache=cache, slot=0)
    for start in range(0, len(prompt), 128):
        part = runner.prefill(prompt[start : start + 128], cache=cache, slot=1, start=start)
        torch.testing.assert_close(part, whole[start : start + 128], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(whole, llama(torch.tensor([prompt]))[0], atol=1e-4, rtol=1e-4)


def test_what_does_not_fit_a_slot_is_refused() -> None:
    runner = _runner(_llama(**SIZES["tiny"]))
    cache = _cache(runner)
    with pytest.raises(ValueError, match="701 positions do not fit a slot of 700"):
        runner.prefill([1] * 701, cache=cache, slot=0)
    with pytest.raises(ValueError, match="701 positions"):
        runner.decode([1, 1], cache=cache, slots=[0, 1], lengths=[3, 700])
    with pytest.raises(ValueError, match="exceeds 1024"):
        KVCache(runner.config, slots=1, slot_length=2000, dtype=runner.dtype, device="cpu")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize(("dtype", "atol"), [(torch.float32, 5e-3), (torch.bfloat16, 0.5)])
def test_cuda_reads_a_prompt_in_chunks(dtype: torch.dtype, atol: float) -> None:
    llama = _llama(**SIZES["wide"])
    runner = LlmRunner(llama, sampled_ids=range(100, 231), device="cuda", dtype=dtype)
    prompt, cache = _prompt(5), _cache(runner)
    parts = [
        runner.prefill(prompt[start : start + 128], cache=cache, slot=1, start=start)
        for start in range(0, len(prompt), 128)
    ]
    whole = llama(torch.tensor([prompt]))[0]
    torch.testing.assert_close(torch.cat(parts).float().cpu(), whole, atol=atol, rtol=0.05)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize(("dtype", "atol"), [(torch.float32, 5e-3), (torch.bfloat16, 0.5)])
def test_cuda_computes_the_same(dtype: torch.dtype, atol: float) -> None:
    llama = _llama(**SIZES["wide"])
    expected = _decode(_runner(llama), [0, 3, 6], [4, 0, 9])
    runner = LlmRunner(llama, sampled_ids=range(100, 231), device="cuda", dtype=dtype)
    found = _decode(runner, [0, 3, 6], [4, 0, 9])
    for row, logits in expected.items():
        torch.testing.assert_close(found[row].cpu(), logits, atol=atol, rtol=0.05)
