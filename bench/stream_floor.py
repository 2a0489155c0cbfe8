"""Measures the least time to the first audio of a stream on this machine, with only the models at work.

The time is that of decoding the tokens of the first span (the tokens that are rendered at once), one flow
sampling over prompt and span, and one vocoder call. Each part has as many threads as in the engine, and the
precision of the settings. The voice has 5 s at 24 kHz.
"""

from __future__ import annotations

import os
import statistics
from dataclasses import dataclass, replace

import torch

from glm_tts_api.engine.decode_batcher import DecodeBatcher
from glm_tts_api.engine.request import Span
from glm_tts_api.engine.spans import LOOK_AHEAD, Window
from glm_tts_api.engine.token2wav import Token2Wav
from glm_tts_api.engine.torch_flags import set_torch_flags
from glm_tts_api.engine.voice_features import VoiceFeatures
from glm_tts_api.engine.warm_up import WarmUp, measure_decode
from glm_tts_api.model.checkpoint import load_checkpoint
from glm_tts_api.model.placement import choose_device, flow_in_bf16
from glm_tts_api.settings import Settings

_ROUNDS = 7


@dataclass(frozen=True)
class StreamFloor:
    """The least time in seconds to the first audio, by stage."""

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
    """Measures the least seconds of each stage (tokens, flow, vocoder) before a stream's first audio.

    Takes the median of some rounds. An additional first round, which is not counted, loads the weights.
    """
    settings = Settings.load()
    config = replace(settings.engine, flow_bf16=flow_in_bf16(settings.dtype))
    device = choose_device(settings.device)
    set_torch_flags(device, os.environ)
    models = load_checkpoint(
        settings.checkpoint_dir, device=device, dtype=settings.dtype, cache_dir=settings.cache_dir
    )
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
