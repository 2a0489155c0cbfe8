"""The render stage: speech tokens to mel to waveform, one Euler step or one vocoder call at a time.

Between two steps it looks round: the render that ends with the least done for its job goes first, even past
renders that have begun, so a short text need not wait for a long one. Every fourth step goes to the render
that has waited longest, so a long text gets on as well. Several threads may take steps at once, each of
another render. Knows tasks and models; nothing of decode rows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from glm_tts_api.contracts import Float32
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.device_thread import drop_memory
from glm_tts_api.engine.job import Job, flow_seed, vocoder_seed
from glm_tts_api.engine.precision import flow_precision
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.flow import FlowInput, FlowSampler
from glm_tts_api.model.transfer import to_host
from glm_tts_api.model.vocoder import HiFT, Vocos2D

_OLDEST_EVERY = 4
_ROWS = {"cpu": 1, "cuda": 8}  # one segment keeps a CPU busy, and alone its sound is the same to the bit


@dataclass(frozen=True, slots=True, eq=False)
class RenderTask:
    """A segment's speech tokens, to be spoken in the job's voice."""

    job: Job
    segment: int
    tokens: list[int]

    @property
    def n_tokens(self) -> int:
        """The prompt goes through the flow with them."""
        return len(self.job.script.voice.speech_tokens) + len(self.tokens)


@dataclass(frozen=True, slots=True)
class RenderResult:
    """What came of a task: its waveform, or the error that ended it, or neither if the job was cancelled."""

    task: RenderTask
    pcm: Float32 | None = None
    error: Exception | None = None


@dataclass(slots=True, eq=False)
class _Render:
    """Tasks that go through the flow as one batch of at most `limit`, then through the vocoder one by one."""

    tasks: list[RenderTask]
    limit: int
    sampler: FlowSampler | None = None
    mels: list[Tensor] | None = None
    taken: bool = False  # a thread is at it

    @property
    def begun(self) -> bool:
        return self.sampler is not None or self.mels is not None


class FlowBatcher:
    """Renders tasks; `flow_rows` of them may share a flow batch. Any thread may call `add` and `step`."""

    def __init__(self, models: Models, config: EngineConfig) -> None:
        self._flow = models.flow
        if models.llm.device.type == "cpu":
            self._flow.pack(torch.bfloat16 if config.flow_bf16 else torch.float32)
        self._vocoders: dict[int, HiFT | Vocos2D] = {
            vocoder.sample_rate: vocoder for vocoder in (models.hift, models.vocos2d)
        }
        self._config = config
        self._device = models.llm.device
        self.n_rows = 1 if config.deterministic else config.flow_rows or _ROWS[self._device.type]
        self._precision = flow_precision(self._device, llm_dtype=models.llm.dtype, bf16=config.flow_bf16)
        self._renders: list[_Render] = []  # in order of arrival; those without a sampler have not begun
        self._n_turns = 0
        self._lock = threading.Lock()  # guards the renders and the jobs' accounts, not the models' work

    @property
    def busy(self) -> bool:
        """There is a render that nobody is at."""
        with self._lock:
            return any(not render.taken for render in self._renders)

    def add(self, task: RenderTask) -> None:
        with self._lock:
            self._renders.append(_Render([task], self.n_rows))

    def step(self) -> list[RenderResult]:
        """One flow step or vocoder call; the tasks that ended. An error ends the tasks it happened to, but a
        flow batch that does not fit the memory is tried again in smaller ones."""
        with self._lock:
            results = self._drop_cancelled()
            render = self._take()
        if render is None:
            return results
        try:
            return results + self._advance(render)
        except torch.OutOfMemoryError as error:
            return results + self._shrink(render, error)
        except Exception as error:
            with self._lock:
                self._renders.remove(render)
            return results + [RenderResult(task, error=error) for task in render.tasks]
        finally:
            render.taken = False

    def _drop_cancelled(self) -> list[RenderResult]:
        """Renders in which nobody is left. A lone cancelled row stays with its batch until that ends."""
        dropped = [
            render
            for render in self._renders
            if not render.taken and all(task.job.cancelled for task in render.tasks)
        ]
        self._renders = [render for render in self._renders if render not in dropped]
        return [RenderResult(task) for render in dropped for task in render.tasks]

    def _take(self) -> _Render | None:
        """The render whose turn it is, with the others that share its flow batch."""
        free = [render for render in self._renders if not render.taken]
        if not free:
            return None
        self._n_turns += 1
        oldest = self._n_turns % _OLDEST_EVERY == 0
        render = free[0] if oldest else min(free, key=self._due)
        render.taken = True
        if not render.begun:
            waiting = [other for other in free if other is not render and not other.begun]
            for other in waiting:
                limit = min(render.limit, other.limit)
                if len(render.tasks) < limit:
                    render.tasks += other.tasks
                    render.limit = limit
                    self._renders.remove(other)
        return render

    def _due(self, render: _Render) -> int:
        """What the flow will have done for the job when this render ends; of several jobs, the least."""
        done = self._config.flow_steps if render.mels is not None else 0
        left = self._config.flow_steps - (render.sampler.step_index if render.sampler else done)
        return min(task.job.n_token_steps + left * task.n_tokens for task in render.tasks)

    def _shrink(self, render: _Render, error: torch.OutOfMemoryError) -> list[RenderResult]:
        """The tasks of a flow batch wait again, for batches half as large; one that was alone has failed."""
        render.sampler = None
        drop_memory(error)
        n_rows = len(render.tasks)
        again = [_Render([task], n_rows // 2) for task in render.tasks] if n_rows > 1 else []
        with self._lock:
            place = self._renders.index(render)
            self._renders[place : place + 1] = again
        return [] if again else [RenderResult(render.tasks[0], error=error)]

    def _advance(self, render: _Render) -> list[RenderResult]:
        if render.mels is not None:
            return [self._vocode(render, render.mels)]
        with self._accounted(render.tasks, "flow_s"):
            with self._precision():
                if render.sampler is None:
                    inputs = [self._flow_input(task) for task in render.tasks]
                    render.sampler = self._flow.sampler(inputs, steps=self._config.flow_steps)
                render.sampler.step()
            with self._lock:
                for task in render.tasks:
                    task.job.n_token_steps += task.n_tokens
            if self._device.type == "cuda":  # steps that queue up there could not be overtaken any more
                torch.cuda.current_stream(self._device).synchronize()
            if render.sampler.done:
                render.mels, render.sampler = render.sampler.mels(), None
        return []

    @contextmanager
    def _accounted(self, tasks: list[RenderTask], stage: str) -> Iterator[None]:
        """Shares the time spent inside among the tasks' jobs."""
        started = time.perf_counter()
        yield
        share = (time.perf_counter() - started) / len(tasks)
        with self._lock:
            for task in tasks:
                timings = task.job.timings
                setattr(timings, stage, getattr(timings, stage) + share)

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
        with self._lock:
            task, mel = render.tasks.pop(0), mels.pop(0)
            if not render.tasks:
                self._renders.remove(render)
        if task.job.cancelled:
            return RenderResult(task)
        try:
            with self._accounted([task], "vocoder_s"):
                return RenderResult(task, pcm=self._speak(task, mel))
        except Exception as error:
            return RenderResult(task, error=drop_memory(error))

    def _speak(self, task: RenderTask, mel: Tensor) -> Float32:
        """mel [1, 80, T] -> [n]. Empty where the prompt's frames left nothing of the segment's."""
        if mel.shape[-1] == 0:
            return np.zeros(0, np.float32)
        utterance = task.job.utterance
        vocoder = self._vocoders[utterance.sample_rate]
        # Nine numbers a sample: a CPU would take 5 ms for each second of speech.
        generator = torch.Generator(self._device).manual_seed(vocoder_seed(utterance.sampling.seed))
        wave: Float32 = to_host(vocoder(mel, generator=generator).float()).numpy()
        return wave
