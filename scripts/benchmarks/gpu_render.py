"""The renderers' rows of scripts/gpu_check.sh: flow steps, the vocoder, a new voice, and how they round."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from glm_tts_api.contracts import Recording, Voice
from glm_tts_api.engine.precision import flow_precision, full_float32, tf32
from glm_tts_api.engine.voice_features import VoiceFeatures
from glm_tts_api.model.flow import FRAMES_PER_TOKEN, FlowInput, FlowMatching, FlowSampler
from glm_tts_api.model.mel import log_mel, resample
from glm_tts_api.model.vocoder import HiFT
from scripts.benchmarks.flow import estimator_flops
from scripts.benchmarks.gpu_models import Bench
from scripts.benchmarks.gpu_timing import (
    MS,
    best_ms,
    by_part,
    kernels,
    longest_name,
    percentile,
    seconds,
    synchronize,
)

Measured = dict[str, float | str]
Precision = Callable[[], AbstractContextManager[Any]]
_ROWS = (1, 8)
_N_VOICES = 4
_VOICE_S = 5


class _Sampler:
    """Steps of one batch without an end."""

    def __init__(self, bench: Bench, n_rows: int, frames: int, model: FlowMatching | None = None) -> None:
        self._model = model or bench.models.flow
        self._inputs = [_window(bench, frames, seed) for seed in range(n_rows)]
        self._sampler: FlowSampler | None = None

    def step(self) -> None:
        if self._sampler is None or self._sampler.done:
            self._sampler = self._model.sampler(self._inputs, steps=10)
        self._sampler.step()


def _window(bench: Bench, frames: int, seed: int) -> FlowInput:
    voice = bench.voice(seed)
    n_new = frames // FRAMES_PER_TOKEN - len(voice.speech_tokens)
    draw = torch.Generator().manual_seed(seed)
    return FlowInput(
        tokens=torch.randint(0, bench.size.n_audio, (n_new,), generator=draw),
        speaker=voice.embedding,
        noise=seed,
        prompt_tokens=torch.tensor(voice.speech_tokens),
        prompt_mel=voice.mel,
    )


def _as_served(bench: Bench) -> Precision:
    return flow_precision(bench.device, llm_dtype=bench.runner.dtype, bf16=False)


def flow_steps(n_rows: int, bench: Bench) -> Measured:
    """ms by frames, each step waited for, as the render thread does."""
    with _as_served(bench)():
        return {
            f"{frames} frames": best_ms(_Sampler(bench, n_rows, frames).step, bench.device)
            for frames in bench.size.frames
        }


def flow_floor(n_rows: int, bench: Bench) -> Measured:
    """The products and the attention, both passes."""
    rounds = _as_served(bench) is tf32
    return {
        f"{frames} frames": MS
        * estimator_flops(bench.size.flow, 2 * n_rows, frames)
        / bench.flops(rounds=rounds)
        for frames in bench.size.frames
    }


def flow_parts(n_rows: int, bench: Bench) -> Measured:
    frames = bench.size.frames[1]
    work = _Sampler(bench, n_rows, frames).step
    with _as_served(bench)():
        step_ms = best_ms(work, bench.device)
        seen = kernels(work, bench.device)
    return {
        **by_part(seen),
        "host": step_ms - sum(kernel.ms for kernel in seen),
        "kernels": sum(kernel.n for kernel in seen),
        "attention by": longest_name(seen, "attention"),
    }


def flow_precisions(bench: Bench) -> Measured:
    """ms of a step of one row, and how far the mel of all steps is from that in float32."""
    frames = bench.size.frames[1]
    halved = copy.deepcopy(bench.models.flow).pack(torch.bfloat16)
    figures: Measured = {}
    mels: list[Tensor] = []
    for name, model, precision in (
        ("float32", bench.models.flow, full_float32),
        ("TF32", bench.models.flow, tf32),
        ("bf16", halved, full_float32),
    ):
        with precision():
            figures[f"{name} ms"] = best_ms(_Sampler(bench, 1, frames, model).step, bench.device)
            mels += model.sample([_window(bench, frames, seed=0)], steps=bench.config.flow_steps)
        if len(mels) > 1:
            off = (mels[-1] - mels[0]).abs()
            figures[f"{name} mel off by"] = f"{off.mean():.1e} in the mean, {off.max():.1e} at most"
    return figures


@torch.inference_mode()
def grouped_convolution(bench: Bench) -> Measured:
    """ms at a length that was not seen before, and again."""
    config, place = bench.size.flow, bench.models.flow.estimator.emb_concator.conv_pos_embed
    x = torch.ones(2, bench.size.frames[1] + 6, config.trans_dim, device=bench.device)
    with _as_served(bench)():
        first, again = (MS * seconds(lambda: place(x, None), bench.device) for _ in range(2))
    return {"first": first, "again": again}


def _hift(bench: Bench) -> HiFT:
    hift = bench.models.vocoders[24000]
    assert isinstance(hift, HiFT)
    return hift


def _speak(bench: Bench, frames: int) -> Tensor:
    wave: Tensor = _hift(bench)(torch.full((1, 80, frames), -5.0, device=bench.device), noise=0)
    return wave.cpu()


def hift_calls(bench: Bench) -> Measured:
    """ms by frames, the first call and the second."""
    return {
        f"{frames} frames": " then ".join(
            f"{MS * seconds(partial(_speak, bench, frames), bench.device):.1f}" for _ in range(2)
        )
        for frames in bench.size.mels
    }


@torch.inference_mode()
def hift_floor(bench: Bench) -> Measured:
    figures: Measured = {}
    for frames in (bench.size.mels[0], bench.size.mels[-1]):
        mel = torch.full((1, 80, frames), -5.0, device=bench.device)
        with FlopCounterMode(display=False) as counted:
            _hift(bench).decode(mel, torch.zeros(1, 480 * frames, device=bench.device))
        figures[f"{frames} frames"] = MS * counted.get_total_flops() / bench.flops()
    return figures


def _voice(seed: int) -> Voice:
    noise = np.random.default_rng(seed).normal(0.0, 0.05, 24000 * _VOICE_S).astype(np.float32)
    return Voice(Recording(noise, 24000), transcript="a", digest=f"check {seed}")


@torch.inference_mode()
def new_voice(bench: Bench) -> Measured:
    """ms of five seconds' parts, and of the whole as a request has it."""
    tokenizer, device = bench.models.speech_tokenizer, bench.device
    samples = torch.from_numpy(_voice(0).recording.samples)
    wave = resample(samples, 24000, 16000)
    with full_float32():
        features = best_ms(lambda: tokenizer.extract([wave]), device, n=3)
        tokens = best_ms(lambda: tokenizer.tokenize([wave]), device, n=3)
    heard = VoiceFeatures(bench.models, capacity=8)
    return {
        "features": features,
        "tokenizer": tokens - features,
        "speaker encoder": best_ms(lambda: bench.models.speaker_encoder.embed(wave), device, n=3),
        "mel": best_ms(lambda: log_mel(samples, 24000), device, n=3),
        "whole, first": MS * seconds(lambda: heard.get(_voice(1), 24000), device),
        "whole, second": MS * seconds(lambda: heard.get(_voice(2), 24000), device),
    }


def flow_beside_new_voices(bench: Bench) -> Measured:
    """p95 ms of flow steps alone and while new voices come, each on its own thread; ms until the last voice
    is heard."""
    heard, work = VoiceFeatures(bench.models, capacity=8), _Sampler(bench, 1, bench.size.frames[0])

    def step() -> float:
        def turn() -> None:
            with _as_served(bench)():
                work.step()
                synchronize(bench.device)

        return MS * seconds(turn, bench.device)

    step()
    alone = [step() for _ in range(2 * _N_VOICES)]
    arrivals = [
        threading.Thread(target=heard.get, args=(_voice(10 + index), 24000)) for index in range(_N_VOICES)
    ]
    began = time.perf_counter()
    for arrival in arrivals:
        arrival.start()
    beside = [step()]
    while any(arrival.is_alive() for arrival in arrivals):
        beside.append(step())
    heard_ms = MS * (time.perf_counter() - began)
    return {
        "alone": percentile(alone, 95),
        f"beside {_N_VOICES} new voices": percentile(beside, 95),
        "last voice": heard_ms,
    }


@torch.inference_mode()
def rounding(bench: Bench) -> Measured:
    """The largest error of a product and a convolution, as a share of the largest value, each as switched."""
    draw, device = torch.Generator().manual_seed(0), bench.device
    a, b = (torch.randn(256, 256, generator=draw).to(device) for _ in range(2))
    x, weight = a[None], b[:, :, None].repeat(1, 1, 3)
    works: dict[str, Callable[[torch.dtype], Tensor]] = {
        "product": lambda dtype: a.to(dtype) @ b.to(dtype),
        "convolution": lambda dtype: F.conv1d(x.to(dtype), weight.to(dtype)),
    }
    figures: Measured = {}
    for name, work in works.items():
        exact = work(torch.float64)
        for mode, precision in (("float32", full_float32), ("TF32", tf32)):
            with precision():
                off = (work(torch.float32).double() - exact).abs().max() / exact.abs().max()
            figures[f"{name} in {mode}"] = float(off)
    return figures


def exactness(bench: Bench) -> Measured:
    """HiFT against the CPU, and the LLM's logits against float32, with and without sums in bfloat16."""
    frames = bench.size.mels[0]
    mel = torch.linspace(-8, 0, 80 * frames).view(1, 80, frames)
    on_cpu = copy.deepcopy(_hift(bench)).to("cpu")
    with full_float32():
        wave = _hift(bench)(mel.to(bench.device), noise=0).cpu()
    figures: Measured = {"HiFT's wave": float((wave - on_cpu(mel, noise=0)).abs().max())}
    products = torch.backends.cuda.matmul
    before = products.allow_bf16_reduced_precision_reduction
    for allowed in (True, False):
        products.allow_bf16_reduced_precision_reduction = allowed
        off = float((bench.logits() - bench.exact_logits).abs().max())
        figures[f"logits, bf16 sums {'on' if allowed else 'off'}"] = off
    products.allow_bf16_reduced_precision_reduction = before
    return figures
