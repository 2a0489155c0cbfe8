"""The measurements of scripts/gpu_check.sh that concern flow, vocoder and new voices: times and rounding."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from bench.flow import estimator_flops
from bench.gpu_models import Bench
from bench.gpu_serving import Request, engine_request
from bench.gpu_timing import (
    GIB,
    MS,
    Kernel,
    best_ms,
    by_part,
    kernels,
    longest_name,
    percentile,
    reserved,
    seconds,
)
from bench.synthetic import filled_hift
from glm_tts_api.contracts import Recording, Voice
from glm_tts_api.engine.request import Span
from glm_tts_api.engine.spans import Window
from glm_tts_api.engine.token2wav import Token2Wav
from glm_tts_api.engine.torch_flags import flow_precision, full_float32, tf32
from glm_tts_api.engine.voice_features import VoiceFeatures
from glm_tts_api.model.flow import FRAMES_PER_TOKEN, FlowInput
from glm_tts_api.model.mel import log_mel, resample
from glm_tts_api.model.placement import has_bf16_units
from glm_tts_api.model.speaker_encoder import SpeakerEncoder

Measured = dict[str, float | str]
_N_VOICES = 4
_VOICE_S = 5


class Rendering:
    """The render stage of an engine (flow and vocoder), called by hand instead of by the engine's thread."""

    @torch.inference_mode()
    def __init__(self, bench: Bench) -> None:
        self._bench, self.models = bench, bench.models()
        before, started = reserved(bench.device), time.perf_counter()
        self._token2wav = Token2Wav(self.models, bench.config)
        self.graph_s, self.graph_bytes = time.perf_counter() - started, reserved(bench.device) - before

    def span(self, n_tokens: int, seed: int = 0) -> Span:
        """Returns a segment of `n_tokens` random speech tokens as one span, to be rendered at once."""
        draw = torch.Generator().manual_seed(seed)
        tokens = torch.randint(0, self._bench.size.n_audio, (n_tokens,), generator=draw).tolist()
        request = engine_request(self._bench, seed, Request(queue.SimpleQueue()), streams=False)
        return Span(request, 0, tokens, Window(0, 0, n_tokens, n_tokens, last=True))

    def window(self, frames: int, seed: int = 0) -> Span:
        """Returns a segment whose mel has `frames` frames, those of the voice prompt included."""
        return self.span(frames // FRAMES_PER_TOKEN - self._bench.size.n_prompt, seed)

    @torch.inference_mode()
    def flow_ms(self, frames: int, n_windows: int = 1) -> list[float]:
        """Renders `n_windows` segments of `frames` frames together. Returns the ms of each flow step.

        The calls in which a segment is finished by the vocoder are left out.
        """
        for seed in range(n_windows):
            self._token2wav.queue.add(self.window(frames, seed))
        calls, n_left = list[float](), n_windows
        while n_left:
            ended: list[Span] = []
            took = MS * seconds(lambda: ended.extend(self._token2wav.step() or ()), self._bench.device)  # noqa: B023
            n_left -= len(ended)
            for span in ended:
                if span.error is not None:
                    raise span.error
            if not ended:
                calls.append(took)
        return calls

    @torch.inference_mode()
    def flow_kernels(self, frames: int) -> list[Kernel]:
        """Returns the kernels that run in a flow step of one segment of `frames` frames."""
        self._token2wav.queue.add(self.window(frames))
        seen = kernels(self._token2wav.step, self._bench.device)
        while self._token2wav.step() is not None:
            pass
        return seen

    @torch.inference_mode()
    def vocoder_ms(self, frames: int) -> float:
        return MS * self._token2wav.vocoder_seconds(self.span(frames // FRAMES_PER_TOKEN))

    def close(self) -> None:
        del self._token2wav, self.models


def rendering(bench: Bench) -> Rendering:
    held: Rendering = bench.hold("rendering", partial(Rendering, bench))
    return held


def graphs(bench: Bench) -> Measured:
    render = rendering(bench)
    n_graphs = len(render.models.flow.euler_step.captured)
    return {"s": render.graph_s, "GiB": render.graph_bytes / GIB, "of an Euler step": str(n_graphs)}


def flow_steps(n_windows: int, bench: Bench) -> Measured:
    """Measures the ms of a flow step of `n_windows` segments together, by the number of frames.

    The time of a whole sampling is divided by its number of steps, so it includes a share of the preparation.
    """
    render = rendering(bench)
    figures: Measured = {}
    for frames in bench.size.frames:
        render.flow_ms(frames, n_windows)
        figures[f"{frames} frames"] = sum(render.flow_ms(frames, n_windows)) / bench.size.flow.steps
    return figures


def flow_floor(n_windows: int, bench: Bench) -> dict[str, float]:
    """Returns the least ms of a flow step by number of frames: the products and attention of both passes."""
    rounds = flow_precision(bench.device, llm_dtype=bench.runner.dtype, bf16=False) is tf32
    flops = bench.flops(rounds=rounds)
    return {
        f"{frames} frames": MS * estimator_flops(bench.size.flow, 2 * n_windows, frames) / flops
        for frames in bench.size.frames
    }


def flow_parts(bench: Bench) -> Measured:
    frames, render = bench.size.frames[1], rendering(bench)
    step_ms = min(render.flow_ms(frames))
    seen = render.flow_kernels(frames)
    return {
        **by_part(seen),
        "host": step_ms - sum(kernel.ms for kernel in seen),
        "kernels": sum(kernel.n for kernel in seen),
        "attention by": longest_name(seen, "attention"),
    }


def flow_new_length(bench: Bench) -> Measured:
    """Returns the ms of the first flow step at a new length, and at the same length again."""
    render = rendering(bench)
    first, again = (render.flow_ms(bench.size.frames[1] + 6)[0] for _ in range(2))
    return {"first": first, "again": again}


@torch.inference_mode()
def flow_precisions(bench: Bench) -> Measured:
    """Measures a flow step in float32, TF32 and bfloat16: ms, and the difference of the mel to float32."""
    exact, halved = bench.models().flow, bench.models().flow.pack(torch.bfloat16)
    voice, n_new = bench.voice(), bench.size.frames[1] // FRAMES_PER_TOKEN - bench.size.n_prompt
    segment = FlowInput(
        tokens=torch.arange(n_new) % bench.size.n_audio,
        speaker=voice.embedding,
        noise=0,
        prompt_tokens=torch.tensor(voice.speech_tokens),
        prompt_mel=voice.mel,
    )
    figures: Measured = {}
    mels: list[Tensor] = []
    ways = [("float32", exact, full_float32), ("TF32", exact, tf32)]
    if bench.device.type == "cpu" or has_bf16_units(bench.device):
        ways.append(("bf16", halved, full_float32))
    for name, model, precision in ways:
        with precision():
            work = partial(model.sample, segment, steps=bench.size.flow.steps)
            figures[f"{name} ms"] = best_ms(work, bench.device, n=2) / bench.size.flow.steps
            mels.append(work())
        if len(mels) > 1:
            off = (mels[-1] - mels[0]).abs()
            figures[f"{name} mel off by"] = f"{off.mean():.1e} in the mean, {off.max():.1e} at most"
    return figures


def hift_calls(bench: Bench) -> Measured:
    """Calls the vocoder twice for each number of mel frames. Returns the ms of the first and second call."""
    render = rendering(bench)
    return {
        f"{frames} frames": " then ".join(f"{render.vocoder_ms(frames):.1f}" for _ in range(2))
        for frames in bench.size.mels
    }


@torch.inference_mode()
def hift_floor(bench: Bench) -> dict[str, float]:
    hift = filled_hift(bench.size.hift, torch.device("cpu"))
    figures = {}
    for frames in (bench.size.mels[0], bench.size.mels[-1]):
        with FlopCounterMode(display=False) as counted:
            hift(torch.full((1, 80, frames), -5.0), noise=0)
        figures[f"{frames} frames"] = MS * counted.get_total_flops() / bench.flops()
    return figures


def _voice(seed: int) -> Voice:
    noise = np.random.default_rng(seed).normal(0.0, 0.05, 24000 * _VOICE_S).astype(np.float32)
    return Voice(Recording(noise, 24000), transcript="a", digest=f"check {seed}")


@torch.inference_mode()
def new_voice(bench: Bench) -> Measured:
    """Measures in ms how long a new voice of 5 s takes to prepare: each part, and the whole."""
    tokenizer, device = bench.tokenizer, bench.device
    samples = torch.from_numpy(_voice(0).recording.samples)
    wave = resample(samples, 24000, 16000)
    features = best_ms(lambda: tokenizer.extract([wave]), device, n=3)
    tokens = best_ms(lambda: tokenizer.tokenize([wave]), device, n=3)
    encoder: float | str = "not here"
    if isinstance(bench.encoder, SpeakerEncoder):
        encoder = best_ms(lambda: bench.encoder.embed(wave), device, n=3)
    heard = VoiceFeatures(rendering(bench).models, capacity=8)
    return {
        "features": features,
        "tokenizer": tokens - features,
        "speaker encoder": encoder,
        "mel": best_ms(lambda: log_mel(samples, 24000), device, n=3),
        "whole, first": MS * seconds(lambda: heard.get(_voice(1), 24000), device),
        "whole, second": MS * seconds(lambda: heard.get(_voice(2), 24000), device),
    }


def flow_beside_new_voices(bench: Bench) -> Measured:
    """Measures the p95 of flow steps in ms, alone and while new voices are prepared in other threads.

    Also returns the ms until the last new voice is ready.
    """
    render, frames = rendering(bench), bench.size.frames[0]
    heard = VoiceFeatures(render.models, capacity=8)
    render.flow_ms(frames)
    alone = render.flow_ms(frames)
    arrivals = [
        threading.Thread(target=heard.get, args=(_voice(10 + index), 24000)) for index in range(_N_VOICES)
    ]
    began = time.perf_counter()
    for arrival in arrivals:
        arrival.start()
    beside = render.flow_ms(frames)
    while any(arrival.is_alive() for arrival in arrivals):
        beside += render.flow_ms(frames)
    heard_ms = MS * (time.perf_counter() - began)
    return {
        "alone": percentile(alone, 95),
        f"beside {_N_VOICES} new voices": percentile(beside, 95),
        "last voice": heard_ms,
    }


@torch.inference_mode()
def rounding(bench: Bench) -> Measured:
    """The largest relative error of a product and a convolution, in float32 and in TF32."""
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
    """Returns the largest difference between the device's and the exact results.

    HiFT's wave is compared with the CPU's. The LLM's logits are compared with float32, with sums in bfloat16
    allowed and not allowed.
    """
    frames, config = bench.size.mels[0], bench.size.hift
    mel = torch.linspace(-8, 0, 80 * frames).view(1, 80, frames)
    here, on_cpu = (filled_hift(config, device) for device in (bench.device, torch.device("cpu")))
    off = here(mel.to(bench.device), noise=0).cpu() - on_cpu(mel, noise=0)
    figures: Measured = {"HiFT's wave": float(off.abs().max())}
    products = torch.backends.cuda.matmul
    before = products.allow_bf16_reduced_precision_reduction
    for allowed in (True, False):
        products.allow_bf16_reduced_precision_reduction = allowed
        off = float((bench.logits() - bench.exact_logits).abs().max())
        figures[f"logits, bf16 sums {'on' if allowed else 'off'}"] = off
    products.allow_bf16_reduced_precision_reduction = before
    return figures
