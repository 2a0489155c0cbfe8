"""What is trained is what the service runs: folded weights give the same numbers."""

from dataclasses import replace

import pytest
import torch

from glm_tts_api.model.llm import Llama, LlmConfig
from glm_tts_api.model.speech_tokenizer import SpeechTokenizer
from glm_tts_api.model.vocoder.hift import HiFT, HiftConfig
from mini.features import mel_and_pitch, whisper_features
from mini.llm_model import TrainingLlama
from mini.speech_encoder import SpeechEncoder, encoder_config
from mini.vocoder import published_weights


def test_pitch_of_a_harmonic_tone() -> None:
    t = torch.arange(24000) / 24000
    wave = torch.stack([torch.sin(2 * torch.pi * 130 * k * t) / k for k in range(1, 9)]).sum(0) * 0.2
    assert (mel_and_pitch(wave)[5:-5, 80].exp() - 130).abs().max() < 3


@pytest.mark.parametrize("seconds", [1.0, 5.2])
def test_speech_codes_are_the_services(seconds: float) -> None:
    torch.manual_seed(0)
    config = replace(encoder_config(), pooling_position=2, quantize_position=2, quantize_vocab_size=64)
    encoder, service = SpeechEncoder(config).eval(), SpeechTokenizer(config).eval()
    encoder.start_codebook(torch.randn(100, config.d_model))
    service.load_state_dict({k: v for k, v in encoder.state_dict().items() if not k.startswith("ema_")})
    features = whisper_features(torch.randn(960 * round(seconds * 25)) * 0.1)
    with torch.inference_mode():
        ours = encoder(features[None])[0]
        theirs, _ = service.hidden(features.T[None], torch.ones(1, len(features), dtype=torch.bool))
        assert int(encoder.codes(ours).min()) > 0
    torch.testing.assert_close(ours, theirs[0], rtol=0, atol=2e-3)


def test_language_model_is_the_services() -> None:
    torch.manual_seed(0)
    config = LlmConfig(
        vocab_size=50, hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=2,
        num_key_value_heads=2, head_dim=32, max_position_embeddings=256,
    )  # fmt: skip
    model, service = TrainingLlama(config, torch.rand(30, 7).round(), guided=(1,)).eval(), Llama(config)
    for name, weight in model.named_parameters():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            torch.nn.init.normal_(weight, std=0.1)
    with torch.no_grad():
        table = model.table()
        state = {f"model.{k}": v for k, v in model.state_dict().items() if k.startswith(("layers.", "norm."))}
        service.load_state_dict({**state, "model.embed_tokens.weight": table})
        ids = torch.randint(50, (2, 20))
        ours, guided = model(ids, table)
        torch.testing.assert_close(ours, service(ids), rtol=2e-2, atol=5e-3)  # factors are held in bfloat16
        assert [part.shape for part in guided[0]] == [(2, 20, 32)] * 2


def test_the_vocoders_wave_is_the_services() -> None:
    torch.manual_seed(0)
    trained = HiFT(HiftConfig(base_channels=16, f0_channels=8)).fold()
    service = HiFT(trained.config)
    service.load_state_dict(published_weights(trained))
    mel = torch.randn(1, 80, 20) - 6
    torch.testing.assert_close(service.fold()(mel, noise=1), trained(mel, noise=1), rtol=0, atol=1e-5)
