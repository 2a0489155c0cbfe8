"""The render stage: speech tokens to mel to waveform, one Euler step or one vocoder call at a time.

Which render takes the next step is the scheduler's to say. Several threads may take steps at once, each of
another render. Knows tasks and models; nothing of decode rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from glm_tts_api.contracts import Float32, Stage
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.device_thread import drop_memory
from glm_tts_api.engine.job import Job, flow_seed, vocoder_seed
from glm_tts_api.engine.precision import flow_precision
from glm_tts_api.engine.render_scheduler import Render, RenderScheduler
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.flow import FlowInput, FlowSampler
from glm_tts_api.model.transfer import to_host
from glm_tts_api.model.vocoder import HiFT, Vocos2D


@dataclass(frozen=True, slots=True, eq=False)
class RenderTask:
    """A segment's speech tokens, to be spoken in the job's voice."""

    job: Job
    segment: int
    tokens: list[int]

    @property
    def due(self) -> float:
        return self.job.due

    @property
    def cancelled(self) -> bool:
        return self.job.cancelled


@dataclass(frozen=True, slots=True)
class RenderResult:
    """What came of a task: its waveform, or the error that ended it, or neither if the job was cancelled."""

    task: RenderTask
    pcm: Float32 | None = None
    error: Exception | None = None


class FlowBatcher:
    """Renders tasks; `flow_rows` of them may share a flow batch. Any thread may call `add` and `step`."""

    def __init__(self, models: Models, config: EngineConfig) -> None:
        self._flow = models.flow
        if config.flow_bf16 or models.llm.device.type == "cpu":
            self._flow.pack(torch.bfloat16 if config.flow_bf16 else torch.float32)
        self._vocoders: dict[int, HiFT | Vocos2D] = {
            vocoder.sample_rate: vocoder for vocoder in (models.hift, models.vocos2d)
        }
        self._flow_steps = config.flow_steps
        self._device = models.llm.device
        self.n_rows = config.rows_of_a_flow_batch(self._device.type)
        self._precision = flow_precision(self._device, llm_dtype=models.llm.dtype, bf16=config.flow_bf16)
        self._renders: RenderScheduler[RenderTask] = RenderScheduler(self.n_rows)

    @property
    def busy(self) -> bool:
        """There is a render that nobody is at."""
        return self._renders.busy

    def add(self, task: RenderTask) -> None:
        self._renders.add(task)

    def step(self) -> list[RenderResult]:
        """One flow step or vocoder call; the tasks that ended. An error ends the tasks it happened to, but a
        flow batch that does not fit the memory is tried again in smaller ones."""
        results = [RenderResult(task) for task in self._renders.drop_cancelled()]
        render = self._renders.take()
        if render is None:
            return results
        try:
            results += self._advance(render)
        except torch.OutOfMemoryError as error:
            render.progress = None
            drop_memory(error)
            if not self._renders.split(render):
                results.append(RenderResult(render.tasks[0], error=error))
        except Exception as error:
            self._renders.remove(render)
            results += [RenderResult(task, error=error) for task in render.tasks]
        else:
            if render.tasks:
                self._renders.put_back(render)
            else:
                self._renders.remove(render)
        return results

    def _advance(self, render: Render[RenderTask]) -> list[RenderResult]:
        if isinstance(render.progress, list):
            return [self._vocode(render.tasks.pop(0), render.progress.pop(0))]
        with timed(render.tasks, "flow"), self._precision():
            if render.progress is None:
                inputs = [self._flow_input(task) for task in render.tasks]
                render.progress = self._flow.sampler(inputs, steps=self._flow_steps)
            sampler: FlowSampler = render.progress
            sampler.step()
            if self._device.type == "cuda":  # steps that queue up there could not be overtaken any more
                torch.cuda.current_stream(self._device).synchronize()
            if sampler.done:
                render.progress = sampler.mels()
        return []

    def _flow_input(self, task: RenderTask) -> FlowInput:
        voice = task.job.script.voice  # always the original prompt, whatever the LLM was prompted with
        return FlowInput(
            tokens=torch.tensor(task.tokens),
            speaker=voice.embedding,
            noise=flow_seed(task.job.utterance.sampling.seed),
            prompt_tokens=torch.tensor(voice.speech_tokens),
            prompt_mel=voice.mel,
        )

    def _vocode(self, task: RenderTask, mel: Tensor) -> RenderResult:
        if task.cancelled:
            return RenderResult(task)
        try:
            with timed([task], "vocoder"):
                return RenderResult(task, pcm=self._speak(task, mel))
        except Exception as error:
            return RenderResult(task, error=drop_memory(error))

    def _speak(self, task: RenderTask, mel: Tensor) -> Float32:
        """mel [1, 80, T] -> [n]. Empty where the prompt's frames left nothing of the segment's."""
        if mel.shape[-1] == 0:
            return np.zeros(0, np.float32)
        utterance = task.job.utterance
        vocoder = self._vocoders[utterance.sample_rate]
        noise = vocoder_seed(utterance.sampling.seed)
        wave: Float32 = to_host(vocoder(mel, noise=noise).float()).numpy()
        return wave


@contextmanager
def timed(tasks: list[RenderTask], stage: Stage) -> Iterator[None]:
    """The time spent inside is the tasks' jobs' time in `stage`."""
    with ExitStack() as stages:
        for task in tasks:
            stages.enter_context(task.job.timings.stage(stage))
        yield
