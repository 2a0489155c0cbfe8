"""A whole set of models for scripts/gpu_check.sh, rule-filled in memory. Of text it takes token ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.flow.config import FlowConfig
from glm_tts_api.model.llm import Llama, LlmConfig
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.speech_tokenizer import SpeechTokenizerConfig
from glm_tts_api.model.vocoder import HiftConfig, Vocos2D
from scripts.benchmarks.synthetic import (
    LLM_SIZES,
    N_AUDIO,
    filled_flow,
    filled_hift,
    filled_speech_tokenizer,
)


@dataclass(frozen=True, slots=True)
class Size:
    """Network sizes, and how much is asked of them: segments of `ids_per_segment` text ids."""

    llm: LlmConfig
    n_audio: int
    flow: FlowConfig
    hift: HiftConfig
    speech_tokenizer: SpeechTokenizerConfig
    n_segments: int
    ids_per_segment: int
    flow_steps: int
    decode_steps: int
    known_length: int  # of prompts and mels, near which others are tried
    limits: EngineConfig  # how long prompts and segments get, for what is kept free in memory

    @property
    def audio_start(self) -> int:
        return self.llm.vocab_size - self.n_audio - 1


SIZES = {
    "official": Size(
        LLM_SIZES["official"], N_AUDIO["official"], FlowConfig(), HiftConfig(), SpeechTokenizerConfig(),
        n_segments=3, ids_per_segment=10, flow_steps=10, decode_steps=100,
        known_length=960, limits=EngineConfig(),
    ),
    "mini": Size(
        LLM_SIZES["mini"], N_AUDIO["mini"],
        FlowConfig(trans_dim=64, depth=2, heads=2, dim_head=32, text_emb_dim=48, conv_layers=2),
        HiftConfig(base_channels=16, f0_channels=16),
        SpeechTokenizerConfig(
            d_model=64, encoder_attention_heads=4, encoder_ffn_dim=128, quantize_position=1,
            pooling_position=1,
        ),
        n_segments=2, ids_per_segment=1, flow_steps=2, decode_steps=3,
        known_length=128, limits=EngineConfig(max_prompt_seconds=2, max_segment_ids=5),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _TokenIds:
    """What the engine asks of a text tokenizer where it is given ids."""

    audio_start: int

    @property
    def begin_of_audio(self) -> int:
        return self.audio_start - 1


class _Tones(nn.Module):
    """Stands for the 32 kHz vocoder, which nothing here is spoken with."""

    def forward(self, mel: Tensor) -> Tensor:
        return mel.mean(-1).repeat_interleave(640, 1)


def runner_for(size: Size, llama: Llama, device: torch.device) -> LlmRunner:
    """As served: in bfloat16 on a GPU, with a head for the speech ids and the end."""
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    ids = range(size.audio_start, size.llm.vocab_size)  # the last one stands for the end
    return LlmRunner(llama, sampled_ids=ids, device=device, dtype=dtype)


def models_for(size: Size, runner: LlmRunner) -> Models:
    device = runner.device
    return Models(
        name="synthetic",
        llm=runner,
        flow=filled_flow(size.flow, device),
        vocoders={24000: filled_hift(size.hift, device), 32000: Vocos2D(torch.jit.script(_Tones()))},
        speech_tokenizer=filled_speech_tokenizer(size.speech_tokenizer, device),
        speaker_encoder=cast(Any, None),
        text_tokenizer=cast(Any, _TokenIds(size.audio_start)),
    )
