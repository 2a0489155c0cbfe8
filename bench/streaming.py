"""Measures the engine's work for a stream, with only the models at work and a voice of 5 s at 24 kHz.

`first_audio_floor` is the least time to the first audio: that of decoding the tokens of the first span (the
tokens that are rendered at once), one flow sampling over prompt and span, and one vocoder call. Each part has
as many threads as in the engine, and the precision of the settings.

`run` measures how much more CPU time flow and vocoder need for a streamed answer than for a whole answer,
with several span sizes. It uses one thread, so that other programs on the machine matter little.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from bench.arguments import progress
from glm_tts_api.engine.decode_batcher import DecodeBatcher
from glm_tts_api.engine.request import EngineRequest, Span
from glm_tts_api.engine.spans import LOOK_AHEAD, Window, cut_windows
from glm_tts_api.engine.stream_pace import TOKENS_A_SECOND
from glm_tts_api.engine.token2wav import Token2Wav
from glm_tts_api.engine.torch_flags import set_torch_flags
from glm_tts_api.engine.voice_features import VoiceFeatures
from glm_tts_api.engine.warm_up import WarmUp, measure_decode
from glm_tts_api.model.checkpoint import load_checkpoint
from glm_tts_api.model.placement import choose_device, flow_in_bf16
from glm_tts_api.settings import Settings

ANSWERS = ((5.0,), (8.0,), (12.0,), (12.5, 12.5))  # for each answer the seconds of its segments

Schedule = tuple[int, ...]
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
    n_window = settings.engine.on(device.type).stream_chunks[0] + LOOK_AHEAD

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


@torch.inference_mode()
def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measures whole and streamed answers, and prints and returns the figures.

    `args.chunks` are the sizes of a stream's spans in tokens, tried in addition to those of EngineConfig.
    """
    settings = Settings.load()
    set_torch_flags(torch.device("cpu"), os.environ)
    torch.set_num_threads(1)
    models = load_checkpoint(settings.checkpoint_dir, device="cpu", dtype=settings.dtype)
    token2wav = Token2Wav(models, settings.engine)
    request = WarmUp(models, VoiceFeatures(models, 1), on_done=lambda _: None).measured_request()
    tried = list(dict.fromkeys([*args.chunks, settings.engine.on("cpu").stream_chunks]))
    rows = list[dict[str, Any]]()
    _cpu_seconds(token2wav, request, ANSWERS[0], None)  # loads the weights into memory
    for answer in progress(ANSWERS):
        whole_s = 0.0
        for chunks in (None, *tried):
            n_windows, work_s = _cpu_seconds(token2wav, request, answer, chunks)
            whole_s = whole_s or work_s
            rows.append(
                {
                    "audio_s": sum(answer),
                    "chunks": chunks and ",".join(map(str, chunks)),
                    "windows": n_windows,
                    "work_s": work_s,
                    "to_whole": work_s / whole_s,
                }
            )
    _print(rows)
    return {"rows": rows}


def _cpu_seconds(
    token2wav: Token2Wav, request: EngineRequest, answer: Sequence[float], chunks: Schedule | None
) -> tuple[int, float]:
    """Renders an answer with segments of `answer` seconds. Returns (the number of flow windows, CPU seconds).

    A window is the piece of a segment that the flow samples at once. `chunks` None renders whole segments.
    """
    n_windows, begin = 0, time.thread_time()
    for number, seconds in enumerate(answer):
        sizes = chunks[-1:] if chunks and number else chunks
        for window in cut_windows(sizes or (), round(TOKENS_A_SECOND * seconds), ended=True):
            span = Span(request, 0, [0] * (window.stop - window.start), window)
            token2wav.queue.add(span)
            while token2wav.step() is not None:
                pass
            if span.error is not None:
                raise span.error
            n_windows += 1
    return n_windows, time.thread_time() - begin


def _print(rows: Sequence[dict[str, Any]]) -> None:
    print("audio s  spans in tokens          windows  CPU s  x whole")
    for row in rows:
        work = f"{row['work_s']:>5.2f}  {row['to_whole']:>7.2f}"
        print(f"{row['audio_s']:>7.1f}  {row['chunks'] or '(whole)':<23}  {row['windows']:>7}  {work}")
