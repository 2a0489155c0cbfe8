"""The render stage: speech tokens to mel to waveform, one Euler step or one vocoder call at a time.

Between two steps it looks round: a segment of a job that was served less goes first, even past renders
that have begun, so a short text need not wait for a long one. Every fourth step goes to the render that
has waited longest, so a long text gets on as well. Knows tasks and models; nothing of decode rows.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from glm_tts_api.contracts import Float32
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.job import Job, flow_seed, vocoder_seed
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.flow import FlowInput, FlowSampler
from glm_tts_api.model.vocoder import HiFT, Vocos2D

_OLDEST_EVERY = 4
_ROWS = {"cpu": 1, "cuda": 8}  # one segment keeps a CPU busy, and alone its sound is the same to the bit


@dataclass(frozen=True, slots=True, eq=False)
class RenderTask:
    """A segment's speech tokens, to be spoken in the job's voice."""

    job: Job
    segment: int
    tokens: list[int]


@dataclass(frozen=True, slots=True)
class RenderResult:
    """What came of a task: its waveform, or the error that ended it, or neither if the job was cancelled."""

    task: RenderTask
    pcm: Float32 | None = None
    error: Exception | None = None


@dataclass(slots=True, eq=False)
class _Render:
    """Tasks that go through the flow as one batch, then through the vocoder one by one."""

    tasks: list[RenderTask]
    sampler: FlowSampler | None = None
    mels: list[Tensor] | None = None

    @property
    def served_s(self) -> float:
        return min(task.job.render_s for task in self.tasks)


class FlowBatcher:
    """Renders tasks; `flow_rows` of them may share a flow batch."""

    def __init__(self, models: Models, config: EngineConfig) -> None:
        self._flow = models.flow
        self._vocoders: dict[int, HiFT | Vocos2D] = {
            vocoder.sample_rate: vocoder for vocoder in (models.hift, models.vocos2d)
        }
        self._n_steps = config.flow_steps
        self._n_rows = config.flow_rows or _ROWS[models.llm.device.type]
        self._renders: list[_Render] = []  # in order of arrival; those without a sampler have not begun
        self._n_turns = 0

    @property
    def busy(self) -> bool:
        return bool(self._renders)

    def add(self, task: RenderTask) -> None:
        self._renders.append(_Render([task]))

    def step(self) -> list[RenderResult]:
        """One flow step or vocoder call; the tasks that ended. An error ends the tasks it happened to."""
        results = self._drop_cancelled()
        if not self._renders:
            return results
        render = self._next()
        try:
            return results + self._advance(render)
        except Exception as error:
            self._renders.remove(render)
            return results + [RenderResult(task, error=error) for task in render.tasks]

    def _drop_cancelled(self) -> list[RenderResult]:
        """Renders in which nobody is left. A lone cancelled row stays with its batch until that ends."""
        dropped = [render for render in self._renders if all(task.job.cancelled for task in render.tasks)]
        self._renders = [render for render in self._renders if render not in dropped]
        return [RenderResult(task) for render in dropped for task in render.tasks]

    def _next(self) -> _Render:
        self._n_turns += 1
        if self._n_turns % _OLDEST_EVERY == 0:
            return self._renders[0]
        return min(self._renders, key=lambda render: render.served_s)

    def _advance(self, render: _Render) -> list[RenderResult]:
        started = time.perf_counter()
        if render.mels is not None:
            result = self._vocode(render, render.mels)
            seconds = time.perf_counter() - started
            result.task.job.timings.vocoder_s += seconds
            result.task.job.render_s += seconds
            return [result]
        if render.sampler is None:
            self._begin(render)
        assert render.sampler is not None
        render.sampler.step()
        if render.sampler.done:
            render.mels, render.sampler = render.sampler.mels(), None
        share = (time.perf_counter() - started) / len(render.tasks)
        for task in render.tasks:
            task.job.timings.flow_s += share
            task.job.render_s += share
        return []

    def _begin(self, render: _Render) -> None:
        """Starts the flow, together with other waiting tasks where a batch may hold more than one."""
        waiting = [other for other in self._renders if other is not render and not _begun(other)]
        for other in waiting[: self._n_rows - len(render.tasks)]:
            render.tasks += other.tasks
            self._renders.remove(other)
        inputs = [self._flow_input(task) for task in render.tasks]
        render.sampler = self._flow.sampler(inputs, steps=self._n_steps)

    def _flow_input(self, task: RenderTask) -> FlowInput:
        voice = task.job.script.voice  # always the original prompt, whatever the LLM was prompted with
        generator = torch.Generator().manual_seed(flow_seed(task.job.utterance.sampling.seed))
        return FlowInput(
            tokens=torch.tensor(task.tokens),
            speaker=voice.embedding,
            generator=generator,
            prompt_tokens=torch.tensor(voice.speech_tokens),
            prompt_mel=voice.mel,
        )

    def _vocode(self, render: _Render, mels: list[Tensor]) -> RenderResult:
        """Speaks the render's first task and takes it off."""
        task, mel = render.tasks.pop(0), mels.pop(0)
        if not render.tasks:
            self._renders.remove(render)
        if task.job.cancelled:
            return RenderResult(task)
        try:
            return RenderResult(task, pcm=self._speak(task, mel))
        except Exception as error:
            return RenderResult(task, error=error)

    def _speak(self, task: RenderTask, mel: Tensor) -> Float32:
        """mel [1, 80, T] -> [n]. Empty where the prompt's frames left nothing of the segment's."""
        if mel.shape[-1] == 0:
            return np.zeros(0, np.float32)
        utterance = task.job.utterance
        vocoder = self._vocoders[utterance.sample_rate]
        generator = torch.Generator().manual_seed(vocoder_seed(utterance.sampling.seed))
        wave: Float32 = vocoder(mel, generator=generator).float().cpu().numpy()
        return wave


def _begun(render: _Render) -> bool:
    return render.sampler is not None or render.mels is not None
