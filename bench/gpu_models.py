"""Makes the models for scripts/gpu_check.sh, with random weights, on the device.

Texts are given as token ids.
"""

from __future__ import annotations

import copy
import gc
import time
from collections.abc import Callable
from itertools import product
from types import SimpleNamespace
from typing import Any, cast

import torch
from torch import Tensor, nn

from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.memory import fit_rows
from glm_tts_api.engine.voice_features import VoicePrompt
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.flow import FlowMatching
from glm_tts_api.model.flow.config import FlowConfig
from glm_tts_api.model.linear import Fp8Linear
from glm_tts_api.model.llm import Llama, LlmConfig
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.placement import choose_precision
from glm_tts_api.model.speaker_encoder import SpeakerEncoder
from glm_tts_api.model.speech_tokenizer import SpeechTokenizer, SpeechTokenizerConfig
from glm_tts_api.model.vocoder import HiFT, HiftConfig, Vocos2D

MS = 1000.0
LLM, N_AUDIO = LlmConfig(), 32768
CONFIG = EngineConfig(fewer_rows=True)
AUDIO_START = LLM.vocab_size - N_AUDIO - 1  # texts are ids already: no more of a text tokenizer is needed
TOKENIZER: Any = SimpleNamespace(audio_start=AUDIO_START, begin_of_audio=AUDIO_START - 1)
N_IDS, N_PROMPT, N_TRANSCRIPT = 13, 125, 20  # a request's text ids; its voice's speech tokens and text ids


class Tones(nn.Module):
    """A stand-in for the 32 kHz vocoder, which no measurement uses."""

    def forward(self, mel: Tensor) -> Tensor:
        return mel.mean(-1).repeat_interleave(640, 1)


class NoEncoder:
    """A stand-in for the speaker encoder, which runs on the CPU."""

    def embed(self, wave: Tensor) -> Tensor:
        return torch.ones(1, 192)


class Bench:
    """The models of the official sizes on their device."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        torch.manual_seed(0)
        with torch.device(device):
            llama = Llama(LLM).eval().requires_grad_(False)
            self.tokenizer = SpeechTokenizer(SpeechTokenizerConfig()).eval().requires_grad_(False)
        dtype = choose_precision(device, n_weights=0, dtype="auto").dtype
        ids = range(AUDIO_START, LLM.vocab_size)  # the last id stands for the end
        self.runner = LlmRunner(llama, sampled_ids=ids, device=device, dtype=dtype)
        del llama
        self.slot_length = CONFIG.slot_length(LLM.max_position_embeddings)
        models = self.models()
        self.release()  # what the allocator keeps is free for rows then
        self.config = fit_rows(models, CONFIG)

    def models(self) -> Models:
        """Returns the models with a new flow and new vocoders, since an engine captures and changes them."""
        with torch.device(self.device):
            flow = FlowMatching(FlowConfig()).eval().requires_grad_(False)
            hift = HiFT(HiftConfig()).eval().requires_grad_(False).fold()
        return Models(
            name="random",
            llm=self.runner,
            flow=flow,
            vocoders={24000: hift, 32000: Vocos2D(torch.jit.script(Tones()))},
            speech_tokenizer=self.tokenizer,
            speaker_encoder=cast(SpeakerEncoder, NoEncoder()),
            text_tokenizer=TOKENIZER,
        )

    def in_fp8(self) -> LlmRunner:
        """Returns the LLM with the weights of its layers in FP8 (DTYPE=fp8)."""
        runner = copy.copy(self.runner)
        runner.layers = [copy.copy(layer) for layer in runner.layers]
        for layer, name in product(runner.layers, ("qkv", "output", "gate_up", "down")):
            setattr(layer, name, Fp8Linear(getattr(layer, name)._weight))
        return runner

    def release(self) -> None:
        gc.collect()
        torch.cuda.empty_cache()

    def voice(self, seed: int, n_prompt: int) -> VoicePrompt:
        draw, n = torch.Generator().manual_seed(seed), n_prompt
        return VoicePrompt(
            list(range(1, N_TRANSCRIPT + 1)),
            speech_tokens=torch.randint(0, N_AUDIO, (n,), generator=draw).tolist(),
            embedding=torch.randn(192, generator=draw),
            mel=torch.randn(2 * n, 80, generator=draw).mul(1.5).sub(5),
        )

    def ms(self, work: Callable[[], object]) -> float:
        """Calls `work` once, waits until the device has finished, and returns the ms that this took."""
        torch.cuda.synchronize(self.device)
        started = time.perf_counter()
        work()
        torch.cuda.synchronize(self.device)
        return MS * (time.perf_counter() - started)
