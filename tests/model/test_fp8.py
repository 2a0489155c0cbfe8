"""The error of weights in FP8, computed on a CPU. Their scales are powers of two. So a GPU's products with
them are those of a bfloat16 model with these weights, but for the order of the sums (triton_cases.py)."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from glm_tts_api.model import alignment
from glm_tts_api.model.inspection import inspect
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.linear import Fp8Linear, PackedLinear
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.settings import BUNDLED_MODEL

pytestmark = pytest.mark.usefixtures("inference")


def test_only_the_weights_are_rounded_and_that_by_a_sixteenth() -> None:
    weight = torch.randn(96, 320, generator=torch.Generator().manual_seed(0)).bfloat16()
    weight *= torch.logspace(-6, 3, 96)[:, None]
    weight[5], weight[6, 0] = 0, 448 * 2**-10  # without a number, and with the largest number of a scale
    linear = Fp8Linear(weight)
    rounded = linear.weight.bfloat16() * linear.scale[:, None]
    assert linear.scale.log2().frac().count_nonzero() == 0
    assert linear.weight.float().isfinite().all()
    assert ((rounded - weight).abs() <= weight.abs() / 16 + weight.abs().amax(1, keepdim=True) / 2**17).all()
    x = torch.randn(4, 320, generator=torch.Generator().manual_seed(1)).bfloat16()
    torch.testing.assert_close(linear(x), F.linear(x, rounded))
    linear = Fp8Linear(weight.float())
    exact = x.double() @ (linear.weight.double() * linear.scale.double()[:, None]).T
    torch.testing.assert_close(linear(x.float()).double(), exact, rtol=1e-4, atol=1e-4)


def test_the_bundled_model_chooses_as_with_full_weights_and_its_head_follows_the_text() -> None:
    """The model reads what two voices said."""
    parts = inspect(BUNDLED_MODEL)
    tokenizer, speech = parts.text_tokenizer, parts.speech_tokenizer.load_copy(torch.device("cpu"))
    n_speech = parts.speech_tokenizer.module.config.quantize_vocab_size
    columns, scores = range(tokenizer.audio_start, tokenizer.audio_start + n_speech), []
    for dtype, linear in ((torch.float32, PackedLinear), (torch.bfloat16, Fp8Linear)):
        llm = LlmRunner(parts.llm.load(), sampled_ids=columns, device="cpu", dtype=dtype, linear=linear)
        head, fit = alignment.find_head(llm, tokenizer, speech)
        assert head
        assert head[:2] == (3, 0)
        assert fit > 0.9
        said, first = [], []
        for name, words in alignment._WORDS.items():
            (texts, _), tokens = tokenizer.encode(words), alignment._speech_tokens(name, speech)
            ids = [*texts, tokenizer.begin_of_audio, *(columns[token] for token in tokens)]
            cache = KVCache(llm.config, slots=1, slot_length=len(ids), dtype=dtype, device="cpu")
            chances = llm.logits(llm.prefill(ids, cache=cache, slot=0)[len(texts) : -1]).log_softmax(-1)
            said.append(chances[torch.arange(len(tokens)), tokens])
            first.append(chances.argmax(1))
        scores.append((torch.cat(said).mean(), torch.cat(first)))
    (full_likely, full_first), (likely, choices) = scores
    assert abs(likely - full_likely) < 0.05
    assert (choices == full_first).float().mean() > 0.95
