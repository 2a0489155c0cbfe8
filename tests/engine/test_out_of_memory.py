"""Memory that runs out costs speed, or the one sentence that cannot fit; never the server.

A CPU has no CUDA allocator, so networks of this file's own raise torch.OutOfMemoryError where a GPU's memory
would be full. What happens to the error is real.
"""

from __future__ import annotations

import asyncio
import weakref
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from glm_tts_api.api.dialects import status_of
from glm_tts_api.contracts import Timings
from glm_tts_api.engine.request import Span
from glm_tts_api.engine.token2wav import Token2Wav
from glm_tts_api.engine.voice_features import VoicePrompt
from glm_tts_api.errors import OutOfMemory
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.flow import FlowConfig, FlowMatching
from glm_tts_api.model.flow.dit import DiT
from tests.engine import tiny


class CrampedDiT(DiT):
    """Has memory for segments of so many frames."""

    def __init__(self, config: FlowConfig, n_frames: int) -> None:
        super().__init__(config)
        self.n_frames = n_frames
        self.left_over: weakref.ref[Tensor] | None = None

    def velocity(self, x: Tensor, cond: Tensor, tokens: Tensor, **rest: Any) -> Tensor:
        if x.shape[1] > self.n_frames:
            activations = x.clone()
            self.left_over = weakref.ref(activations)
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().velocity(x, cond, tokens, **rest)


def cramped(n_frames: int) -> tuple[Models, CrampedDiT]:
    models = tiny.tiny_models()
    flow = FlowMatching(models.flow.config)
    estimator = CrampedDiT(models.flow.config, n_frames)
    estimator.load_state_dict(models.flow.estimator.state_dict())
    flow.estimator = estimator
    return replace(models, flow=flow.eval()), estimator


class Listener:
    closed = full = False

    def __init__(self) -> None:
        self.timings = Timings()


def tasks(lengths: list[int]) -> list[Span]:
    """A segment of a request of its own for each number of tokens."""
    prompt = VoicePrompt(list(range(10)), torch.linspace(-1, 1, 192), torch.zeros(20, 80))
    return [
        tiny.whole_span(
            tiny.request(tiny.asked("a", seed=seed), [[97]], [97], prompt, Listener()),
            [token % tiny.N_SPEECH_TOKENS for token in range(length)],
        )
        for seed, length in enumerate(lengths)
    ]


def finish(models: Models, work: list[Span]) -> dict[int, Span]:
    """What became of each of the tasks."""
    batcher = Token2Wav(models, tiny.CONFIG)
    for task in work:
        batcher.queue.add(task)
    results = []
    with torch.inference_mode():
        while batcher.queue.busy:
            results += batcher.step()
    return {work.index(result): result for result in results}


FRAMES = 60  # of 20 tokens after a prompt of 10


def test_a_segment_without_room_fails_alone() -> None:
    models, _ = cramped(2 * FRAMES)
    results = finish(models, tasks([20, 90, 20]))
    assert [results[index].pcm is not None for index in range(3)] == [True, False, True]
    assert isinstance(results[1].error, torch.OutOfMemoryError)


def test_what_the_failed_call_had_made_is_let_go() -> None:
    models, estimator = cramped(FRAMES)
    results = finish(models, tasks([90]))
    assert results[0].error is not None
    assert estimator.left_over is not None
    assert estimator.left_over() is None


def test_the_client_hears_that_memory_ran_out_and_the_next_one_is_served() -> None:
    """20 draws for each letter at most: a short text has room, a long one has none."""
    models, _ = cramped(150)

    async def run() -> tuple[Any, Any]:
        engine = await tiny.ready(tiny.tiny_engine(load=lambda: models))
        try:
            long = tiny.speak(engine, tiny.asked("abcdefghij"))
            with pytest.raises(OutOfMemory, match="no memory left") as refused:
                await tiny.pcm(long)
            return refused.value, await tiny.pcm(tiny.speak(engine, tiny.asked("a")))
        finally:
            engine.close()

    refused, spoken = asyncio.run(run())
    assert status_of(type(refused)) == 503
    assert len(spoken)
