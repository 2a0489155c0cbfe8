"""What is trained is what the service runs: folded weights give the same numbers."""

from typing import Any

import numpy as np
import pytest
import torch

from glm_tts_api.model.llm import Llama, LlmConfig
from glm_tts_api.model.mel import log_mel, resample
from glm_tts_api.model.speech_tokenizer import SpeechTokenizer, SpeechTokenizerConfig
from glm_tts_api.model.vocoder.hift import HiFT, HiftConfig
from mini.features import FeatureExtractor
from mini.llm_model import LlmSize, TrainingLlama
from mini.speech_encoder import EncoderConfig, SpeechEncoder
from mini.vocoder import published_weights


def chirp(n: int) -> torch.Tensor:
    t = torch.arange(n) / 24000
    noise = 0.01 * torch.randn(n, generator=torch.Generator().manual_seed(3))
    return 0.3 * torch.sin(2 * np.pi * (150 * t + 400 * t * t)) + noise


def test_mel_is_the_services() -> None:
    wave = chirp(9600)
    ours = FeatureExtractor().mel_and_pitch(wave)[:, :80]
    torch.testing.assert_close(ours.T, log_mel(wave, 24000), rtol=0, atol=1e-3)


def test_pitch_of_a_harmonic_tone() -> None:
    t = torch.arange(24000) / 24000
    wave = sum(torch.sin(2 * np.pi * 130 * k * t) / k for k in range(1, 9)) * 0.2
    assert isinstance(wave, torch.Tensor)
    pitch = FeatureExtractor().mel_and_pitch(wave)[5:-5, 80].exp()
    assert (pitch - 130).abs().max() < 3


@pytest.mark.parametrize("seconds", [1.0, 5.2])
def test_speech_codes_are_the_services(seconds: float) -> None:
    torch.manual_seed(0)
    config = EncoderConfig(layers=2, n_codes=64)
    encoder = SpeechEncoder(config).eval()
    service = SpeechTokenizer(
        SpeechTokenizerConfig(
            d_model=config.dim,
            encoder_attention_heads=config.heads,
            encoder_ffn_dim=config.ffn_dim,
            pooling_position=2,
            quantize_position=2,
            quantize_vocab_size=64,
            num_mel_bins=config.n_mel,
        )
    ).eval()
    state = {k: v for k, v in encoder.state_dict().items() if not k.startswith("ema_")}
    state["codebook.weight"] = state.pop("codebook")
    service.load_state_dict(state)
    wave = chirp(960 * round(seconds * 25))
    features = FeatureExtractor().whisper(wave)[None]
    with torch.inference_mode():
        ours = encoder(features)[0]
        theirs, keep = service.hidden(*service.extract([resample(wave, 24000, 16000)]))
    torch.testing.assert_close(ours, theirs[keep], rtol=0, atol=2e-3)


def test_language_model_is_the_services() -> None:
    torch.manual_seed(0)
    size = LlmSize(dim=64, layers=3, heads=2, ffn_dim=96, guided=(1,))
    model = TrainingLlama(size, n_ids=50, factors=torch.rand(30, 7).round()).eval()
    layers: Any = model.layers
    for layer in layers:
        torch.nn.init.normal_(layer.self_attn.o_proj.weight, std=0.1)
        torch.nn.init.normal_(layer.mlp.down_proj.weight, std=0.1)
    config = LlmConfig(
        vocab_size=50,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=32,
        max_position_embeddings=256,
    )
    service = Llama(config)
    with torch.no_grad():
        table = model.table()
        state = {f"model.{k}": v for k, v in model.state_dict().items() if k.startswith(("layers.", "norm."))}
        service.load_state_dict({**state, "model.embed_tokens.weight": table})
        ids = torch.randint(50, (2, 20))
        ours, _ = model(ids, table)
        torch.testing.assert_close(ours, service(ids), rtol=2e-2, atol=5e-3)  # factors are held in bfloat16


def test_the_vocoders_wave_is_the_services() -> None:
    torch.manual_seed(0)
    trained = HiFT(HiftConfig(base_channels=16, f0_channels=8)).fold()
    service = HiFT(trained.config)
    service.load_state_dict(published_weights(trained))
    mel = torch.randn(1, 80, 20) - 6
    torch.testing.assert_close(service.fold()(mel, noise=1), trained(mel, noise=1), rtol=0, atol=1e-5)
