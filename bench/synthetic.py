"""Makes models of chosen sizes for speed tests, with weights made by a rule (fill.py) instead of training."""

from __future__ import annotations

from typing import TypeVar

import torch

from glm_tts_api.model.flow.config import FlowConfig
from glm_tts_api.model.flow.sampler import FlowMatching
from glm_tts_api.model.llm import Llama, LlmConfig
from glm_tts_api.model.speech_tokenizer import SpeechTokenizer, SpeechTokenizerConfig
from glm_tts_api.model.vocoder import HiFT, HiftConfig
from scripts.checks.parity.fill import iter_fill

LLM_SIZES = {
    "mini": LlmConfig(
        vocab_size=12288,
        hidden_size=256,
        intermediate_size=704,
        num_hidden_layers=6,
        num_attention_heads=4,
        num_key_value_heads=4,
        head_dim=64,
    ),
    "small": LlmConfig(
        hidden_size=1024,
        intermediate_size=3072,
        num_hidden_layers=12,
        num_attention_heads=8,
        num_key_value_heads=2,
    ),
    "official": LlmConfig(),
}
Network = TypeVar("Network", bound=torch.nn.Module)
N_AUDIO = {"mini": 1024, "small": 32768, "official": 32768}


def filled_llm(config: LlmConfig) -> Llama:
    with torch.device("meta"):
        model = Llama(config)
    return _filled(model, "llm").eval().requires_grad_(False)


def filled_flow(config: FlowConfig, device: torch.device) -> FlowMatching:
    return _filled(FlowMatching(config), "flow").to(device).eval().requires_grad_(False)


def filled_hift(config: HiftConfig, device: torch.device) -> HiFT:
    return _filled(HiFT(config), "hift").fold().to(device)


def filled_speech_tokenizer(config: SpeechTokenizerConfig, device: torch.device) -> SpeechTokenizer:
    return _filled(SpeechTokenizer(config), "tok").to(device).eval().requires_grad_(False)


def _filled(model: Network, table: str) -> Network:
    shapes = {key: list(value.shape) for key, value in model.state_dict().items()}
    state = dict(iter_fill("bench", table, shapes))
    model.load_state_dict(state, strict=False, assign=True)  # the state has no tied head and no rotary tables
    return model
