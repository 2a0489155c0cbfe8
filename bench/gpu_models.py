"""Makes the models for scripts/gpu_check.sh with weights by rule, and measures the best rates of their
device.

Texts are given as token ids.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from bench.decode import n_weights
from bench.floor import bandwidth, matmul_flops
from bench.gpu_timing import synchronize
from bench.synthetic import (
    LLM_SIZES,
    N_AUDIO,
    filled_flow,
    filled_hift,
    filled_llm,
    filled_speech_tokenizer,
)
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.memory import fit_rows
from glm_tts_api.engine.torch_flags import full_float32, tf32
from glm_tts_api.engine.voice_features import VoicePrompt
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.flow.config import FlowConfig
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm import Llama, LlmConfig
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.placement import choose_precision
from glm_tts_api.model.speaker_encoder import SpeakerEncoder
from glm_tts_api.model.speech_tokenizer import SpeechTokenizerConfig
from glm_tts_api.model.vocoder import HiftConfig, Vocos2D

_ROOT = Path(__file__).resolve().parents[1]
_PRODUCT_ROWS = {"cuda": 8192, "cpu": 64}  # rows of the products that measure the best arithmetic rate


@dataclass(frozen=True, slots=True)
class Size:
    """The sizes of the networks and of the measurements. A request has one segment of `n_ids` text ids."""

    llm: LlmConfig
    n_audio: int
    flow: FlowConfig
    hift: HiftConfig
    speech_tokenizer: SpeechTokenizerConfig
    n_ids: int
    n_prompt: int  # speech tokens of the voice
    decode_steps: int
    frames: tuple[int, ...]  # mel frames of the measured flow calls
    mels: tuple[int, ...]  # mel frames of the measured vocoder calls
    prompts: tuple[int, int, int]  # numbers of ids: a short prompt, a usual one, a long one
    requests: dict[int, int]  # number of requests at once -> number of requests in all
    config: EngineConfig

    @property
    def audio_start(self) -> int:
        return self.llm.vocab_size - self.n_audio - 1


SIZES = {
    "official": Size(
        LLM_SIZES["official"], N_AUDIO["official"], FlowConfig(), HiftConfig(), SpeechTokenizerConfig(),
        n_ids=13, n_prompt=125, decode_steps=40, frames=(286, 562, 750), mels=tuple(range(64, 513, 64)),
        prompts=(20, 150, 1000), requests={1: 5, 4: 12, 16: 48}, config=EngineConfig(),
    ),
    "tiny": Size(
        LlmConfig(
            vocab_size=256, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
            num_attention_heads=2, num_key_value_heads=1, head_dim=16, max_position_embeddings=2048,
        ), 64,
        FlowConfig(trans_dim=64, depth=2, heads=2, dim_head=32, text_emb_dim=48, conv_layers=2, steps=2),
        HiftConfig(base_channels=16, f0_channels=16),
        SpeechTokenizerConfig(
            d_model=32, encoder_attention_heads=2, encoder_ffn_dim=64, pooling_position=1,
            quantize_position=1, quantize_vocab_size=64,
        ),
        n_ids=1, n_prompt=10, decode_steps=2, frames=(30, 40), mels=(32, 64), prompts=(4, 8, 12),
        requests={1: 1, 4: 2, 16: 2},
        config=EngineConfig(
            n_rows=4, max_prompt_seconds=2, max_segment_ids=5, stream_chunks=(4, 8)
        ),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _TokenIds:
    """A stand-in for the text tokenizer with the few ids that the engine needs when texts are ids already."""

    audio_start: int

    @property
    def begin_of_audio(self) -> int:
        return self.audio_start - 1


class _Tones(nn.Module):
    """A stand-in for the 32 kHz vocoder, which no measurement uses."""

    def forward(self, mel: Tensor) -> Tensor:
        return mel.mean(-1).repeat_interleave(640, 1)


class _NoEncoder:
    """A stand-in for the speaker encoder where no checkpoint has one."""

    def embed(self, wave: Tensor) -> Tensor:
        return torch.ones(1, 192)


class Held(Protocol):
    """An object that a group of measurements shares. Closing it frees memory for the next group."""

    def close(self) -> None: ...


class Bench:
    """The models on their device, and the rates from which floors (least possible times) are computed."""

    def __init__(self, size: Size, device: torch.device) -> None:
        self.size, self.device = size, device
        self._flops: dict[tuple[torch.dtype, bool], float] = {}
        self._held: tuple[object, Held] | None = None
        llama = filled_llm(size.llm)
        self.exact_logits = self._logits(_runner(size, llama, device, torch.float32))
        count = n_weights(size.llm, size.n_audio + 1)
        dtype = choose_precision(device, n_weights=count, dtype="auto").dtype
        started = time.perf_counter()
        self.runner = _runner(size, llama, device, dtype)
        synchronize(device)
        self.load_s = time.perf_counter() - started
        del llama
        self.weight_bytes = count * dtype.itemsize
        self.tokenizer = filled_speech_tokenizer(size.speech_tokenizer, device)
        self.encoder = _speaker_encoder()
        self.slot_length = size.config.slot_length(size.llm.max_position_embeddings)
        self.release()  # returns unused memory of the allocator, so that it is free for slots
        self.config = fit_rows(self.models(), replace(size.config, fewer_rows=True))

    def models(self) -> Models:
        """Returns the models with a new flow and new vocoders, since an engine captures and changes them."""
        tones = Vocos2D(torch.jit.script(_Tones()))
        return Models(
            name="synthetic",
            llm=self.runner,
            flow=filled_flow(self.size.flow, self.device),
            vocoders={24000: filled_hift(self.size.hift, self.device), 32000: tones},
            speech_tokenizer=self.tokenizer,
            speaker_encoder=self.encoder,
            text_tokenizer=cast(Any, _TokenIds(self.size.audio_start)),
        )

    def hold(self, key: object, make: Callable[[], Held]) -> Any:
        """Returns the object that `make` gave for `key`, and calls `make` if there is none yet.

        An object that is held for another key is closed first.
        """
        if self._held is None or self._held[0] != key:
            self.release()
            self._held = (key, make())
        return self._held[1]

    def release(self) -> None:
        if self._held is not None:
            self._held[1].close()
            self._held = None
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def voice(self, seed: int = 0, text_ids: Sequence[int] = ()) -> VoicePrompt:
        draw = torch.Generator().manual_seed(seed)
        n = self.size.n_prompt
        return VoicePrompt(
            text_ids,
            speech_tokens=torch.randint(0, self.size.n_audio, (n,), generator=draw).tolist(),
            embedding=torch.randn(192, generator=draw),
            mel=torch.randn(2 * n, 80, generator=draw).mul(1.5).sub(5),
        )

    @cached_property
    def bandwidth(self) -> float:
        """The device's memory bandwidth in bytes per second."""
        return bandwidth(self.device)

    def flops(self, dtype: torch.dtype = torch.float32, *, rounds: bool = False) -> float:
        """Returns the floating-point operations per second of large products.

        `rounds` allows TF32 for float32.
        """
        if (dtype, rounds) not in self._flops:
            with tf32() if rounds else full_float32():
                n_rows = _PRODUCT_ROWS[self.device.type]
                self._flops[dtype, rounds] = matmul_flops(self.device, dtype, rows=n_rows)
        return self._flops[dtype, rounds]

    @torch.inference_mode()
    def _logits(self, runner: LlmRunner) -> Tensor:
        """Returns the logits at the last four positions of a fixed prompt, on the CPU."""
        n = self.size.prompts[1]
        cache = KVCache(runner.config, slots=1, slot_length=n, dtype=runner.dtype, device=runner.device)
        hidden = runner.prefill(torch.arange(n), cache=cache, slot=0)
        return runner.logits(hidden[-4:]).cpu()

    def logits(self) -> Tensor:
        return self._logits(self.runner)


def _runner(size: Size, llama: Llama, device: torch.device, dtype: torch.dtype) -> LlmRunner:
    """Makes an LLM runner whose output head covers the speech ids and the end id."""
    ids = range(size.audio_start, size.llm.vocab_size)  # the last id stands for the end
    return LlmRunner(llama, sampled_ids=ids, device=device, dtype=dtype)


def _speaker_encoder() -> SpeakerEncoder:
    """Returns the checkpoint's speaker encoder, or a stand-in.

    The encoder is taken if the checkpoint has one and kaldi_native_fbank is installed.
    """
    path = Path(os.environ.get("MODEL_DIR", _ROOT / "ckpt")) / "frontend/campplus.onnx"
    if path.exists() and importlib.util.find_spec("kaldi_native_fbank"):
        return SpeakerEncoder(path)
    return cast(SpeakerEncoder, _NoEncoder())
