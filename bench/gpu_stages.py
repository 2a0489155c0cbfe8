"""The measurements of scripts/gpu_check.sh that concern one stage: decoding, or rendering with new voices."""

from __future__ import annotations

import copy
import threading
import time
from functools import partial

import numpy as np
import torch
from torch import Tensor

from bench.decode import prefilled, step_s
from bench.floor import bandwidth, matmul_flops
from bench.gpu_models import MS, N_PROMPT, Bench
from bench.gpu_serving import Request, engine_request
from glm_tts_api.contracts import Recording, Voice
from glm_tts_api.engine.request import Span
from glm_tts_api.engine.spans import Window
from glm_tts_api.engine.token2wav import Token2Wav
from glm_tts_api.engine.torch_flags import full_float32, tf32
from glm_tts_api.engine.voice_features import VoiceFeatures
from glm_tts_api.model.cuda_decode import CudaDecodeStep
from glm_tts_api.model.flow import FRAMES_PER_TOKEN, FlowInput
from glm_tts_api.model.graphs import GraphPool
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.placement import has_fp8_units

Measured = dict[str, float | str]
_N_STEPS, _BEHIND = 40, 5  # timed decode steps, and those kept free in the KV cache beside them


class Decoding:
    """A KV cache with a prompt in every slot, and the decode step that works on it."""

    @torch.inference_mode()
    def __init__(self, bench: Bench, llm: LlmRunner | None = None, slot_length: int = 0) -> None:
        self.bench, self.runner = bench, (runner := llm or bench.runner)
        length = slot_length or bench.slot_length
        self.cache = prefilled(runner, slots=bench.config.n_rows, slot_length=length)
        started = time.perf_counter()
        self.step = CudaDecodeStep(runner, self.cache, end=len(runner.sampled_ids) - 1)
        self._capture_s = time.perf_counter() - started

    def start(self) -> Measured:
        return {"graphs s": self._capture_s, "slots": str(self.cache.slots), "kernels": self.step.kernels}

    @torch.inference_mode()
    def step_ms(self, n_keys: int) -> Measured:
        """Measures the decode step with about `n_keys` cached positions. Returns ms by the number of rows."""
        n_read, rows = n_keys - _N_STEPS - _BEHIND, sorted({min(n, self.cache.slots) for n in (1, 4, 16, 20)})
        return {f"{n} rows": MS * step_s(self.runner, self.step, n, _N_STEPS, n_read=n_read) for n in rows}

    @torch.inference_mode()
    def prefill_ms(self) -> Measured:
        def best_ms(n: int, start: int = 0) -> float:
            read = partial(self.step.prefill, range(n), slot=0, start=start)
            return min(self.bench.ms(read) for _ in range(5))

        return {**{f"{n} ids": best_ms(n) for n in (20, 150, 1000)}, "150 ids behind 20": best_ms(150, 20)}

    @torch.inference_mode()
    def logits(self) -> Tensor:
        """Returns those of the next step of all slots, of which each has read 1 to 20 ids of its own."""
        from glm_tts_api.model.triton_decode import decode_slots

        n = torch.arange(self.cache.slots, device=self.bench.device)
        return self.runner.logits(decode_slots(self.runner, n + 300, n % 20 + 1, cache=self.cache))

    def close(self) -> None:
        del self.step, self.cache


class Rendering:
    """The render stage of an engine (flow and vocoder), called by hand instead of by the engine's thread."""

    @torch.inference_mode()
    def __init__(self, bench: Bench) -> None:
        self.bench, self.models = bench, bench.models()
        started = time.perf_counter()
        self._token2wav = Token2Wav(self.models, bench.config)
        self._capture_s = time.perf_counter() - started

    def start(self) -> Measured:
        n_graphs = len(self.models.flow.euler_step.captured)
        return {"graphs s": self._capture_s, "graphs of an Euler step": str(n_graphs)}

    def _span(self, n_tokens: int) -> Span:
        """Returns a segment of `n_tokens` speech tokens as one span, to be rendered at once."""
        request = engine_request(self.bench, 0, Request(), streams=False)
        return Span(request, 0, [0] * n_tokens, Window(0, 0, n_tokens, n_tokens, last=True))

    @torch.inference_mode()
    def flow_ms(self, frames: int) -> list[float]:
        """Renders a segment of `frames` frames, the prompt's included. Returns the ms of each flow step."""
        stage = self._token2wav
        stage.queue.add(self._span(frames // FRAMES_PER_TOKEN - N_PROMPT))
        calls: list[float] = []
        ended: list[Span] = []
        while not ended:
            calls.append(self.bench.ms(lambda: ended.extend(stage.step() or ())))
        if ended[0].error is not None:
            raise ended[0].error
        return calls[:-1]  # the last call is the vocoder's

    def flow_steps(self) -> Measured:
        """Measures the ms of a flow step by the number of frames, with a share of the preparation."""
        steps, windows = self.models.flow.config.steps, (312, 512, 600)  # a stream's, with the prompt
        return {f"{n} frames": min(sum(self.flow_ms(n)) for _ in range(3)) / steps for n in windows}

    @torch.inference_mode()
    def hift_ms(self) -> Measured:
        """Calls the vocoder twice for each number of mel frames. Returns the ms of both calls."""
        spans = {frames: self._span(frames // FRAMES_PER_TOKEN) for frames in (64, 128, 256, 512, 632)}
        seconds = self._token2wav.vocoder_seconds
        return {
            f"{frames} frames": " then ".join(f"{MS * seconds(span):.1f}" for _ in range(2))
            for frames, span in spans.items()
        }

    @torch.inference_mode()
    def new_voice_ms(self) -> Measured:
        """Measures how long three new voices of 5 s take, one after the other."""
        heard = VoiceFeatures(self.models, capacity=8)
        ms, voices = self.bench.ms, {str(n): _voice(n) for n in (1, 2, 3)}
        return {n: ms(partial(heard.voice, v)) + ms(partial(heard.mel, v, 24000)) for n, v in voices.items()}

    def beside_decoding(self) -> Measured:
        """Measures the ms of a decode step alone and while windows are rendered on another thread."""
        decoding, stop = Decoding(self.bench), threading.Event()
        alone = decoding.step_ms(512)

        def render() -> None:
            while not stop.is_set():
                self.flow_ms(312)

        renderer = threading.Thread(target=render)
        renderer.start()
        try:
            beside = decoding.step_ms(512)
        finally:
            stop.set()
            renderer.join()
        return {"1 rows": alone["1 rows"], "beside windows": beside["1 rows"]}

    def fp8_weights(self) -> Measured:
        """Measures decode steps with weights in FP8, and how far their logits are from those in bfloat16."""
        if not has_fp8_units(self.bench.device):
            return {"left out": "no units for FP8"}
        full, small = (Decoding(self.bench, llm, 1024) for llm in (self.bench.runner, self.bench.in_fp8()))
        exact, rounded = full.logits(), small.logits()
        same, off = (rounded.argmax(1) == exact.argmax(1)).float().mean(), (rounded - exact).norm()
        likeness = {"same first choice": float(same), "logits off by": float(off / exact.norm())}
        return small.step_ms(512) | likeness

    @torch.inference_mode()
    def bf16_flow(self) -> Measured:
        """Renders a window with the flow in bfloat16. Returns the ms of a step, and the error of the mel."""
        flow, steps, mels = self.models.flow, self.models.flow.config.steps, list[Tensor]()
        half = copy.deepcopy(flow).pack(torch.bfloat16)
        half.precision = full_float32
        half.capture(GraphPool(self.bench.device), (312,), steps=steps)
        window = FlowInput(torch.zeros(156, dtype=torch.int64), torch.ones(192), noise=0)
        ms = min(self.bench.ms(lambda: mels.append(half.sample(window, steps=steps))) for _ in range(3))
        off = (flow.sample(window, steps=steps) - mels[0]).abs().mean()
        return {"312 frames": ms / steps, "log mel off by": float(off)}

    @torch.inference_mode()
    def rates(self) -> Measured:
        """Measures the best rates of the card, from which the least time of each stage can be computed, and
        the grouped convolutions of a flow step, whose time depends most on cuDNN's choice."""
        products = {"bf16": (torch.bfloat16, full_float32), "TF32": (torch.float32, tf32)}
        figures: Measured = {"GB/s": bandwidth(self.bench.device) / 1e9}
        for name, (dtype, precision) in products.items():
            with precision():
                figures[f"TFLOPS in {name}"] = matmul_flops(self.bench.device, dtype, rows=8192) / 1e12
        convolve = partial(self.models.flow.estimator.emb_concator.conv_pos_embed, padding=None)
        frames = torch.zeros(2, 320, self.models.flow.config.trans_dim, device=self.bench.device)
        figures["convolutions ms"] = min(self.bench.ms(partial(convolve, frames)) for _ in range(3))
        return figures

    def close(self) -> None:
        del self._token2wav, self.models


def _voice(seed: int) -> Voice:
    noise = np.random.default_rng(seed).normal(0.0, 0.05, 24000 * 5).astype(np.float32)
    return Voice(Recording(noise, 24000), transcript="a", digest=f"check {seed}")
