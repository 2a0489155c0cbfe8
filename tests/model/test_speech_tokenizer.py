"""The speech tokenizer's behaviour; its numbers are pinned by the golden vectors."""

from __future__ import annotations

import math

import pytest
import torch

from glm_tts_api.model.speech_tokenizer import SpeechTokenizer, SpeechTokenizerConfig, encoder_key

SMALL = SpeechTokenizerConfig(
    d_model=32, encoder_attention_heads=2, encoder_ffn_dim=48, num_mel_bins=80, pooling_position=1,
    quantize_position=2, quantize_vocab_size=300, quantize_causal_block_size=200,
)  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer() -> SpeechTokenizer:
    torch.manual_seed(0)
    return SpeechTokenizer(SMALL).eval()


def _speech(n: int, seed: int = 1) -> torch.Tensor:
    return 0.1 * torch.randn(n, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("n", [400, 640, 641, 15_999, 16_001])
def test_a_token_per_40_ms_begun(tokenizer: SpeechTokenizer, n: int) -> None:
    (tokens,) = tokenizer.tokenize([_speech(n)])
    assert tokens.shape == (math.ceil(math.ceil(n / 160) / 4),)
    assert tokens.dtype == torch.int64
    assert int(tokens.max()) < SMALL.quantize_vocab_size


def test_more_than_30_seconds_go_in_pieces(tokenizer: SpeechTokenizer) -> None:
    wave = _speech(480_000 + 33_000)
    (whole,) = tokenizer.tokenize([wave])
    first, second = tokenizer.tokenize([wave[:480_000], wave[480_000:]])
    assert len(whole) == len(first) + len(second)
    torch.testing.assert_close(whole[: len(first)], first)


def test_a_loader_is_told_what_to_skip() -> None:
    names = {
        "model.encoder.conv1.weight": "conv1.weight",
        "model.encoder.layers.1.self_attn_layer_norm.weight": "layers.1.self_attn_layer_norm.weight",
        "model.encoder.layers.2.fc1.weight": None,
        "model.encoder.layer_norm.weight": None,
        "model.encoder.ema_weight": None,
        "model.encoder.embed_positions2.weight": None,
        "model.encoder.codebook.weight": "codebook.weight",
        "model.decoder.embed_tokens.weight": None,
    }
    assert {name: encoder_key(name, SMALL) for name in names} == names


@pytest.mark.parametrize(
    "broken",
    [{"d_model": 33, "encoder_attention_heads": 2}, {"quantize_position": 0}, {"pooling_position": 17}],
)
def test_impossible_sizes_are_refused(broken: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="speech tokenizer"):
        SpeechTokenizerConfig(**broken)
