"""However many threads compute a stage, its bits are the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from glm_tts_api.model.flow import FlowConfig, FlowInput, FlowMatching
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.linear import Int8Linear
from glm_tts_api.model.llm import LlmConfig
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.placement import Precision
from glm_tts_api.model.threads import at_most
from glm_tts_api.model.vocoder import HiFT, HiftConfig
from tests.model.tiny_decode import llama
from tests.this_cpu import HAS_BF16_UNITS

BF16 = pytest.param(
    torch.bfloat16, marks=pytest.mark.skipif(not HAS_BF16_UNITS, reason="oneDNN packs no bf16 here")
)


@pytest.fixture(autouse=True)
def eight_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(8)
    with torch.inference_mode():
        yield
    torch.set_num_threads(before)


def differing(compute: Callable[[], list[Tensor]]) -> list[tuple[int, int]]:
    """The numbers of threads, and the results, that differ from those of one thread."""
    found = {}
    for n_threads in (1, 2, 4, 8):
        with at_most(n_threads):
            found[n_threads] = compute()
    return [
        (n_threads, index)
        for n_threads, results in found.items()
        for index, pair in enumerate(zip(results, found[1], strict=True))
        if not torch.equal(*pair)
    ]


# As wide as the bundled model's.
WIDE = LlmConfig(
    vocab_size=257,
    hidden_size=256,
    intermediate_size=704,
    num_hidden_layers=1,
    num_attention_heads=4,
    head_dim=64,
)


@pytest.mark.parametrize(
    ("precision", "n_kv_heads"),
    [
        (Precision(torch.float32), 4),
        (Precision(torch.float32), 1),
        (Precision(torch.float32, Int8Linear), 2),
        (Precision(torch.bfloat16), 4),
    ],
)
def test_prompts_are_read_and_rows_decoded_alike(precision: Precision, n_kv_heads: int) -> None:
    """In float32 a single query at 33 positions differed, and chunks of two and three ids."""
    if precision.dtype == torch.bfloat16 and not HAS_BF16_UNITS:
        pytest.skip("oneDNN packs no bf16 here")
    llm = llama(replace(WIDE, num_key_value_heads=n_kv_heads))
    runner = LlmRunner(
        llm, sampled_ids=range(100, 231), device="cpu", dtype=precision.dtype, linear=precision.linear
    )
    lengths = [32, 130, 3, 67]

    def compute() -> list[Tensor]:
        cache = KVCache(runner.config, slots=4, slot_length=700, dtype=runner.dtype, device="cpu")
        results = []
        for slot, length in enumerate(lengths):
            ids = [7 * place % 257 for place in range(length)]
            for start in range(0, length, 64):
                chunk = ids[start : start + 64]
                results.append(runner.prefill(chunk, cache=cache, slot=slot, start=start))
        for n_rows in (1, 4):
            taken = [length + (slot == 0 and n_rows == 4) for slot, length in enumerate(lengths[:n_rows])]
            hidden = runner.decode(range(n_rows), cache=cache, slots=range(n_rows), lengths=taken)
            results += [hidden, runner.logits(hidden)]
        return results

    assert differing(compute) == []


@pytest.mark.parametrize("dtype", [torch.float32, BF16])
def test_the_flow_is_the_same(dtype: torch.dtype) -> None:
    """At 146 frames four threads had three parts of Mish's numbers, none of whole vectors."""
    torch.manual_seed(0)
    config = FlowConfig(trans_dim=256, depth=1, heads=4, text_emb_dim=192, conv_layers=1, text_vocab_size=99)
    flow = FlowMatching(config).eval().pack(dtype)

    def compute() -> list[Tensor]:
        results = []
        for n_tokens in (1, 13, 73):
            given = FlowInput(torch.arange(n_tokens) % 99, torch.linspace(-1, 1, 192), noise=3)
            results.append(flow.sample(given, steps=1))
        return results

    assert differing(compute) == []


def test_hift_is_the_same() -> None:
    torch.manual_seed(0)
    hift = HiFT(HiftConfig(base_channels=128, f0_channels=32)).fold()
    mels = [torch.randn(1, 80, n_frames) - 5 for n_frames in (3, 50)]
    assert differing(lambda: [hift(mel, noise=1) for mel in mels]) == []
