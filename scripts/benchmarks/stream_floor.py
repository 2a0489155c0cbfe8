"""What the first audio of a stream takes at least on this machine, with nothing but the models at work: the
tokens of its first span, one flow pass over prompt and span, one vocoder call.

On as many threads as the engine gives each of them, in the settings' precision; a voice of 5 s at 24 kHz.
"""

from __future__ import annotations

import os
import statistics
from dataclasses import dataclass

import torch

from glm_tts_api.engine.decode_batcher import DecodeBatcher
from glm_tts_api.engine.request import Span
from glm_tts_api.engine.spans import LOOK_AHEAD, Window
from glm_tts_api.engine.token2wav import Token2Wav
from glm_tts_api.engine.torch_flags import set_torch_flags
from glm_tts_api.engine.voice_features import VoiceFeatures
from glm_tts_api.engine.warm_up import WarmUp, measure_decode
from glm_tts_api.model.checkpoint import load_checkpoint
from glm_tts_api.model.placement import choose_device
from glm_tts_api.settings import Settings

_ROUNDS = 7


@dataclass(frozen=True)
class StreamFloor:
    """Seconds."""

    tokens_s: float
    flow_s: float
    vocoder_s: float

    @property
    def first_audio_s(self) -> float:
        return self.tokens_s + self.flow_s + self.vocoder_s

    def __str__(self) -> str:
        return (
            f"floor of the first audio: {self.first_audio_s:.3f} s (tokens {self.tokens_s:.3f}, "
            f"flow {self.flow_s:.3f}, vocoder {self.vocoder_s:.3f})"
        )


@torch.inference_mode()
def first_audio_floor() -> StreamFloor:
    """The median of some rounds, after one that pages the weights in."""
    settings = Settings.load()
    config, device = settings.engine, choose_device(settings.device)
    set_torch_flags(device, os.environ)
    models = load_checkpoint(settings.checkpoint_dir, device=device, dtype=settings.dtype)
    decoder, token2wav = DecodeBatcher(models, config), Token2Wav(models, config)
    warm_up = WarmUp(models, VoiceFeatures(models, 1), on_done=lambda _: None)
    n_window = settings.stream_chunks[0] + LOOK_AHEAD

    def one_round() -> StreamFloor:
        request = warm_up.measured_request()
        _, token_s = measure_decode(decoder, request, token2wav.cores)
        span = Span(request, 0, [0] * n_window, Window(0, 0, n_window, n_window, last=True))
        flow_s, vocoder_s = token2wav.flow_seconds(span), token2wav.vocoder_seconds(span)
        return StreamFloor((n_window + 1) * token_s, flow_s, vocoder_s)

    one_round()
    rounds = [one_round() for _ in range(_ROUNDS)]
    return StreamFloor(
        *(
            statistics.median(getattr(found, part) for found in rounds)
            for part in ("tokens_s", "flow_s", "vocoder_s")
        )
    )
