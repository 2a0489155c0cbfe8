"""A tiny LLM, a cache, prompts and rows for tests of decode steps."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from glm_tts_api.contracts import SamplingOptions
from glm_tts_api.model.decode_step import DecodeStep, Drawn
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.linear import MakeLinear, PackedLinear
from glm_tts_api.model.llm import Llama, LlmConfig
from glm_tts_api.model.llm_config import Head
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.sequence import SpeechSequence

SLOTS, SLOT_LENGTH, VOCABULARY = 6, 640, 257
AUDIO = range(100, 231)
END = len(AUDIO) - 1
CONFIG = LlmConfig(
    vocab_size=VOCABULARY, hidden_size=64, intermediate_size=160, num_hidden_layers=2,
    num_attention_heads=4, num_key_value_heads=2, head_dim=32, max_position_embeddings=1024,
)  # fmt: skip
_PROMPT_LENGTHS = [37, 511, 1, 120, 600, 64]


def llama(config: LlmConfig = CONFIG) -> Llama:
    torch.manual_seed(3)
    model = Llama(config)
    for name, parameter in model.named_parameters():
        if "norm" not in name:
            torch.nn.init.normal_(parameter, std=1.5 / parameter.shape[-1] ** 0.5)
    return model.eval()


def runner_of(
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    linear: MakeLinear = PackedLinear,
) -> LlmRunner:
    return LlmRunner(llama(), sampled_ids=AUDIO, device=device, dtype=dtype, linear=linear)


def cache_of(runner: LlmRunner, slots: int = SLOTS, slot_length: int = SLOT_LENGTH) -> KVCache:
    cache = KVCache(
        runner.config,
        slots=slots,
        slot_length=slot_length,
        dtype=runner.dtype,
        device=runner.device,
        followed=Head(1, 2),
    )
    for slot in range(slots):
        cache.clear(slot)
    return cache


def prompt(nth: int) -> list[int]:
    generator = torch.Generator().manual_seed(nth)
    return torch.randint(0, VOCABULARY, (_PROMPT_LENGTHS[nth],), generator=generator).tolist()


def likeliest(slot: int, token: int, length: int, device: str = "cpu") -> SpeechSequence:
    """Top-1: what is drawn depends on no noise."""
    generator = torch.Generator(device).manual_seed(slot)
    return SpeechSequence(
        [], 0, 0, SamplingOptions("topk", 1), slot=slot, next_id=token, n_read=length, generator=generator
    )


def decode(
    runner: LlmRunner,
    cache: KVCache,
    step: DecodeStep,
    slots: Sequence[int],
    *,
    prompts: Sequence[int] | None = None,
    n_steps: int = 8,
) -> dict[int, list[Drawn]]:
    """Reads a prompt into each slot (its own, if none are named), decodes them together; draws by prompt."""
    place = dict(zip(prompts or slots, slots, strict=True))
    drawn: dict[int, list[Drawn]] = {nth: [] for nth in place}
    for nth, slot in place.items():
        runner.prefill(prompt(nth), cache=cache, slot=slot)
    for n_drawn in range(n_steps):
        rows = [
            likeliest(
                slot,
                AUDIO[drawn[nth][-1].column] if n_drawn else 5,
                len(prompt(nth)) + n_drawn,
                runner.device.type,
            )
            for nth, slot in place.items()
        ]
        for nth, row in zip(place, step(rows), strict=True):
            drawn[nth].append(row)
    return drawn


def assert_same(
    found: dict[int, list[Drawn]], expected: dict[int, list[Drawn]], *, atol: float = 1e-4
) -> None:
    for nth, rows in expected.items():
        assert [row.column for row in found[nth]] == [row.column for row in rows]
        log_probs = torch.tensor([row.log_prob for row in rows])
        torch.testing.assert_close(
            torch.tensor([row.log_prob for row in found[nth]]), log_probs, atol=atol, rtol=1e-4
        )
