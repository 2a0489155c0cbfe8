"""Computes the least time that speech takes: its multiplications at the machine's best rate.

The operations are counted on the networks of the checkpoint in use: both passes of each flow step over prompt
and segment, the LLM's weights for each token, and the vocoder. The LLM's prefill is left out.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.decode import n_weights
from bench.floor import matmul_flops
from glm_tts_api.engine.stream_pace import TOKENS_A_SECOND
from glm_tts_api.model.flow.config import FlowConfig
from glm_tts_api.model.flow.dit import BLOCK_CHUNKS, OUT_CHUNKS, DiT
from glm_tts_api.model.llm import LlmConfig
from glm_tts_api.model.vocoder import HiFT, HiftConfig

FRAMES_A_TOKEN = 2
_COUNTED_FRAMES = 50


class Arithmetic:
    """Counts the floating-point operations of requests with the models of `checkpoint`."""

    def __init__(self, checkpoint: Path, *, flow_steps: int) -> None:
        self._flow_steps = flow_steps
        flow = FlowConfig.from_yaml(checkpoint / "flow" / "config.yaml")
        with torch.device("meta"):
            self._estimator = DiT(flow)
        self._vocoder = HiFT(_hift_config(checkpoint / "hift" / "config.json")).fold()
        llm = LlmConfig.from_json(checkpoint / "llm" / "config.json")
        self._token = 2.0 * n_weights(llm, flow.text_vocab_size)
        self._step = cache(self._count_step)
        self._frame = self._count_vocoder() / _COUNTED_FRAMES

    def of(self, *, audio_s: float, segments: int, prompt_s: float) -> float:
        """Returns the operations of a request with `audio_s` seconds of audio in equal segments.

        `prompt_s` is the length of the voice's recording in seconds.
        """
        tokens = audio_s * TOKENS_A_SECOND
        frames = round(FRAMES_A_TOKEN * (prompt_s * TOKENS_A_SECOND + tokens / segments))
        flow = segments * self._flow_steps * self._step(frames)
        return flow + tokens * self._token + FRAMES_A_TOKEN * tokens * self._frame

    @torch.inference_mode()
    def _count_step(self, frames: int) -> float:
        config = self._estimator.config
        mel = torch.zeros(2, frames, config.mel_dim, device="meta")
        tokens = torch.zeros(2, frames, config.text_emb_dim, device="meta")
        width = config.trans_dim * (BLOCK_CHUNKS * config.depth + OUT_CHUNKS)
        with FlopCounterMode(display=False) as counter:
            self._estimator.velocity(mel, mel, tokens, modulation=torch.zeros(2, width, device="meta"))
        return float(counter.get_total_flops())

    @torch.inference_mode()
    def _count_vocoder(self) -> float:
        mel = torch.zeros(1, 80, _COUNTED_FRAMES)
        with FlopCounterMode(display=False) as counter:
            self._vocoder.decode(mel, torch.zeros(1, _COUNTED_FRAMES * HiFT.hop))
        return float(counter.get_total_flops())


def _hift_config(path: Path) -> HiftConfig:
    return HiftConfig.from_json(path) if path.exists() else HiftConfig()


def rate() -> float:
    """Measures the float32 operations per second (multiplications and additions) of all cores together."""
    return matmul_flops(torch.device("cpu"), torch.float32)
