"""The render stage: speech tokens to mel to waveform, one Euler step or one vocoder call at a time.

Which render takes the next step is the scheduler's to say. Several threads may take steps at once, each of
another render. Knows spans and models; nothing of decode rows.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor

from glm_tts_api.contracts import Float32, Stage
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.device_thread import drop_memory
from glm_tts_api.engine.precision import flow_precision
from glm_tts_api.engine.render_scheduler import Render, RenderScheduler
from glm_tts_api.engine.request import Span
from glm_tts_api.engine.seeds import flow_seed, vocoder_seed
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.flow import FRAMES_PER_TOKEN, FlowInput, FlowSampler, n_frames
from glm_tts_api.model.transfer import to_host
from glm_tts_api.model.vocoder import VocoderStream, open_stream
from glm_tts_api.model.vocoder.hift import N_MELS


class Token2Wav:
    """Renders spans; `flow_rows` of them may share a flow batch. Any thread may call `add` and `step`."""

    def __init__(self, models: Models, config: EngineConfig) -> None:
        self._flow = models.flow
        if config.flow_bf16 or models.llm.device.type == "cpu":
            self._flow.pack(torch.bfloat16 if config.flow_bf16 else torch.float32)
        self._vocoders = models.vocoders
        self._flow_steps = config.flow_steps
        self._device = models.llm.device
        self.n_rows = config.rows_of_a_flow_batch(self._device.type)
        self._precision = flow_precision(self._device, llm_dtype=models.llm.dtype, bf16=config.flow_bf16)
        self._renders: RenderScheduler[Span] = RenderScheduler(self.n_rows)

    @property
    def busy(self) -> bool:
        """There is a render that nobody is at."""
        return self._renders.busy

    def add(self, span: Span) -> None:
        self._renders.add(span)

    def step(self) -> list[Span]:
        """One flow step or vocoder call; the spans that ended. An error ends the spans it happened to, but a
        flow batch that does not fit the memory is tried again in smaller ones."""
        ended = self._renders.drop_cancelled()
        render = self._renders.take()
        if render is None:
            return ended
        try:
            ended += self._advance(render)
        except torch.OutOfMemoryError as error:
            render.progress = None
            drop_memory(error)
            if not self._renders.split(render):
                ended += _failed(render.tasks, error)
        except Exception as error:
            self._renders.remove(render)
            ended += _failed(render.tasks, error)
        else:
            if render.tasks:
                self._renders.put_back(render)
            else:
                self._renders.remove(render)
        return ended

    def flow_seconds(self, span: Span) -> float:
        """What a span's flow takes, reckoned from two of its steps."""
        begin = time.perf_counter()
        with self._precision():
            sampler = self._flow.sampler([self._flow_input(span)], steps=max(2, self._flow_steps))
            sampler.step()
            self._synchronize()
            begun = time.perf_counter()
            sampler.step()
            self._synchronize()
        step_s = time.perf_counter() - begun
        return begun - begin + (self._flow_steps - 1) * step_s

    def vocoder_seconds(self, span: Span) -> float:
        """What the vocoder takes for a span, whatever its mel."""
        begin = time.perf_counter()
        self._speak(span, torch.zeros(1, N_MELS, FRAMES_PER_TOKEN * len(span.tokens), device=self._device))
        return time.perf_counter() - begin

    def _synchronize(self) -> None:
        """Steps that queue up on a GPU could not be overtaken any more."""
        if self._device.type == "cuda":
            torch.cuda.current_stream(self._device).synchronize()

    def _advance(self, render: Render[Span]) -> list[Span]:
        if isinstance(render.progress, list):
            span, mel = render.tasks.pop(0), render.progress.pop(0)
            self._vocode(span, mel)
            return [span]
        with timed(render.tasks, "flow"), self._precision():
            if render.progress is None:
                inputs = [self._flow_input(span) for span in render.tasks]
                render.progress = self._flow.sampler(inputs, steps=self._flow_steps)
            sampler: FlowSampler = render.progress
            sampler.step()
            self._synchronize()
            if sampler.done:
                render.progress = sampler.mels()
        return []

    def _flow_input(self, span: Span) -> FlowInput:
        voice = span.voice  # always the original prompt, whatever the LLM was prompted with
        return FlowInput(
            tokens=torch.tensor(span.tokens),
            speaker=voice.embedding,
            noise=flow_seed(span.request.asked.sampling.seed),
            prompt_tokens=torch.tensor(voice.speech_tokens),
            prompt_mel=voice.mel,
            start=span.window.start,
        )

    def _vocode(self, span: Span, mel: Tensor) -> None:
        """Gives the span its waveform, or the error that it ended with."""
        if span.cancelled:
            return
        try:
            with timed([span], "vocoder"):
                span.pcm = self._speak(span, mel)
        except Exception as error:
            span.error = drop_memory(error)

    def _speak(self, span: Span, mel: Tensor) -> Float32:
        """The window's mel [1, 80, T] -> what the segment's vocoder can say by now, [n]."""
        asked, carried = span.request.asked, span.request.carried
        if span.segment not in carried:
            noise = vocoder_seed(asked.sampling.seed)
            carried[span.segment] = open_stream(self._vocoders[asked.sample_rate], noise=noise)
        stream: VocoderStream = carried[span.segment]
        wave = stream.push(self._of_the_span(span, mel), last=span.window.last)
        if span.window.last:
            del carried[span.segment]
        pcm: Float32 = to_host(wave.float()).numpy()
        return pcm

    def _of_the_span(self, span: Span, mel: Tensor) -> Tensor:
        """The frames of the span itself, without its context's. The whole segment's are counted from the
        end of the prompt's mel, which may end a frame beside its tokens."""
        window, voice = span.window, span.voice
        n_prompt, n_mel = len(voice.speech_tokens), len(voice.mel)

        def frame(token: int) -> int:
            return max(0, FRAMES_PER_TOKEN * (n_prompt + token) - n_mel) if token else 0

        begin = frame(window.start)
        whole = n_frames(n_prompt + window.end, self._flow.config) - n_mel
        end = whole if window.last else frame(window.end)
        return mel[..., frame(window.first) - begin : end - begin]


def _failed(spans: list[Span], error: Exception) -> list[Span]:
    for span in spans:
        span.error = error
    return spans


@contextmanager
def timed(spans: list[Span], stage: Stage) -> Iterator[None]:
    """The time spent inside is the spans' requests' time in `stage`."""
    with ExitStack() as stages:
        for span in spans:
            stages.enter_context(span.request.timings.stage(stage))
        yield
