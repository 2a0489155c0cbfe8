"""The render stage: turns speech tokens into a mel spectrogram and the spectrogram into a waveform. The stage
works in steps: one Euler step of the flow or one vocoder call at a time.

The scheduler chooses the render that takes the next step. Several threads may run steps at once, each for
another render. Knows spans and models; knows nothing of decode rows.
"""

from __future__ import annotations

import logging
import time
from functools import partial

import torch
from torch import Tensor

from glm_tts_api.contracts import Float32
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.cores import Cores, IntraOpPool, must_be_fixed
from glm_tts_api.engine.device_thread import drop_memory, limit_threads
from glm_tts_api.engine.render_scheduler import RenderScheduler
from glm_tts_api.engine.request import Span
from glm_tts_api.engine.seeds import stage_seed
from glm_tts_api.engine.torch_flags import flow_precision
from glm_tts_api.model.buckets import FLOW_GRAPHS
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.flow import FRAMES_PER_TOKEN, FlowInput, FlowSampler, n_frames
from glm_tts_api.model.graphs import GraphPool
from glm_tts_api.model.transfer import to_host
from glm_tts_api.model.vocoder import HiFT, VocoderStream, open_stream
from glm_tts_api.model.vocoder.hift import N_MELS

# While a request has this number of spans to render or more, its next segment is not decoded: on a CPU the
# decoding would take the cores from the renders.
_SPANS_AHEAD = {"cpu": 2, "cuda": 16}
_LONG_STEP_S = 0.2  # if the first flow step takes this long, the others are taken to be as long

logger = logging.getLogger(__name__)


class Token2Wav:
    """Renders the spans of `queue`, each by itself, so that a span's audio does not depend on the other
    spans. Any thread may add spans and call `step`. On a GPU only one thread calls `step`, because a CUDA
    graph runs once at a time."""

    def __init__(self, models: Models, config: EngineConfig) -> None:
        self._flow = models.flow
        self._vocoders = models.vocoders
        self._flow_steps = config.steps_of(models.flow.config)
        self._device = models.llm.device
        self.n_spans_ahead = _SPANS_AHEAD[self._device.type]
        self.shares_cores = self._device.type == "cpu"
        self.queue = RenderScheduler()
        if config.flow_bf16 or self._device.type == "cpu":
            self._flow.pack(torch.bfloat16 if config.flow_bf16 else torch.float32)
        self._flow.precision = flow_precision(self._device, llm_dtype=models.llm.dtype, bf16=config.flow_bf16)
        self._render_threads = config.render_threads
        fixed = must_be_fixed(models, config)
        self.cores = Cores(
            config, lambda: self.queue.n_wanting, fixed=fixed, most_of_a_flow_step=self._flow.most_threads
        )
        if self._device.type == "cuda":
            self._capture()
            return
        self._flow.intra_op = IntraOpPool(self.cores)
        if isinstance(hift := self._vocoders[HiFT.sample_rate], HiFT):
            hift.intra_op = self._flow.intra_op

    def _capture(self) -> None:
        """Captures the CUDA graphs of flow and vocoder, before other threads use the GPU: memory that runs
        out in another thread would end a capture. A stage that cannot be captured works without graphs."""
        begin, pool = time.perf_counter(), GraphPool(self._flow.estimator.proj_out.weight.device)
        captures = [("The flow", partial(self._flow.capture, n_frames=FLOW_GRAPHS, steps=self._flow_steps))]
        captures += [
            ("HiFT", partial(each.capture)) for each in self._vocoders.values() if isinstance(each, HiFT)
        ]
        for stage, capture in captures:
            try:
                capture(pool)
            except RuntimeError as error:
                reason = str(drop_memory(error)).partition("\n")[0]
                logger.warning("%s goes without CUDA graphs, and takes longer: %s", stage, reason)
        logger.info("CUDA graphs of flow and vocoder captured in %.1f s", time.perf_counter() - begin)

    def step(self) -> list[Span] | None:
        """Runs one flow step or vocoder call, if a span waits. Returns the spans that have ended, cancelled
        spans among them; None if there was nothing to do. An error ends the span in which it happened, and
        is stored in the span's `error`."""
        ended = self.queue.drop_cancelled()
        span = self.queue.take()
        if span is None:
            return ended or None
        begin, is_flow = time.perf_counter(), not isinstance(span.progress, Tensor)
        try:
            with span.request.sink.stage("flow" if is_flow else "vocoder"):
                if is_flow:
                    sampler = span.progress or self._sampler(span, steps=self._flow_steps)
                    with self.cores.render_step():
                        is_last = sampler.step()
                    span.progress = sampler.mel() if is_last else sampler
                else:
                    span.pcm = self._speak(span, span.progress)
        except Exception as error:
            span.error = drop_memory(error)
        span.spent_s += time.perf_counter() - begin
        done = span.pcm is not None or span.error is not None
        self.queue.give_back(span, ended=done)
        return [*ended, span] if done else ended

    def flow_seconds(self, span: Span) -> float:
        """Estimates the seconds that the flow takes for a span. Runs and times the span's first step, and
        takes the other steps to be as long. If the first step is short, times a second step for the others,
        because the first step also plans."""
        begin = time.perf_counter()
        sampler = self._sampler(span, steps=max(2, self._flow_steps))
        times = [time.perf_counter()]
        while len(times) == 1 or (len(times) == 2 and times[1] - times[0] < _LONG_STEP_S):
            with self.cores.render_step():
                sampler.step()
            times.append(time.perf_counter())
        return times[1] - begin + (self._flow_steps - 1) * (times[-1] - times[-2])

    def vocoder_seconds(self, span: Span) -> float:
        """Measures the seconds that the vocoder takes for a span, with a mel of zeros."""
        begin = time.perf_counter()
        self._speak(span, torch.zeros(1, N_MELS, FRAMES_PER_TOKEN * len(span.tokens), device=self._device))
        return time.perf_counter() - begin

    def _sampler(self, span: Span, *, steps: int) -> FlowSampler:
        voice = span.voice  # always the original prompt, whatever the LLM was prompted with
        segment = FlowInput(
            tokens=torch.tensor(span.tokens),
            speaker=voice.embedding,
            noise=stage_seed(span.request.speech.sampling.seed, "flow"),
            prompt_tokens=torch.tensor(voice.speech_tokens),
            prompt_mel=voice.mel,
            start=span.window.start,
        )
        return FlowSampler(self._flow, segment, steps=steps)

    def _speak(self, span: Span, mel: Tensor) -> Float32:
        """Gives the span's own frames from the mel of its window, [1, 80, T], to the segment's vocoder.
        Returns the samples that the vocoder can make by now, [n]."""
        speech, carried = span.request.speech, span.request.carried
        if span.segment not in carried:
            noise = stage_seed(speech.sampling.seed, "vocoder")
            carried[span.segment] = open_stream(self._vocoders[speech.sample_rate], noise=noise)
        stream: VocoderStream = carried[span.segment]
        limit_threads(self._render_threads)
        wave = stream.push(self._of_the_span(span, mel), last=span.window.last)
        if span.window.last:
            del carried[span.segment]
        pcm: Float32 = to_host(wave.float()).numpy()
        return pcm

    def _of_the_span(self, span: Span, mel: Tensor) -> Tensor:
        """Cuts the frames of the span itself out of its window's mel, [1, 80, T]. Frames are counted from the
        end of the prompt's mel, which may be a frame longer or shorter than the prompt's tokens."""
        window, n_prompt, n_mel = span.window, len(span.voice.speech_tokens), len(span.voice.mel)
        begin, first, end = (
            max(0, FRAMES_PER_TOKEN * (n_prompt + token) - n_mel) if token else 0
            for token in (window.start, window.first, window.end)
        )
        if window.last:
            end = n_frames(n_prompt + window.end, self._flow.config) - n_mel
        return mel[..., first - begin : end - begin]
