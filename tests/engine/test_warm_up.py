"""What an engine says of its speed once it is ready, and what becomes of one that cannot be measured."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.request import Span
from glm_tts_api.engine.stream_pace import PROMPT_TOKENS
from glm_tts_api.engine.token2wav import Token2Wav
from glm_tts_api.engine.voice_features import VoiceFeatures
from glm_tts_api.engine.warm_up import WarmUp, measure_pace, patience
from glm_tts_api.model.flow import FlowConfig
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.vocoder import HiFT
from tests.engine import tiny
from tests.engine.exact_machine import Machine, Speed


async def test_a_ready_engine_has_a_forecast_for_its_schedule(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        async with tiny.engine_of(replace(tiny.CONFIG, stream_chunks=(4, 8))) as engine:
            info = engine.info
    assert info is not None
    assert info.streaming is not None
    assert 0 < info.streaming.first_audio_s < math.inf
    assert info.streaming.chunks == (4, 8)
    assert any("A lone listener of spans of 4, 8 tokens hears" in text for text in caplog.messages)


class SlowRunner(LlmRunner):
    def decode(self, *arguments: Any, **options: Any) -> Tensor:
        time.sleep(0.05)
        return super().decode(*arguments, **options)


async def test_a_model_whose_steps_take_longer_than_a_stall_has_not_stalled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = replace(tiny.CONFIG, stall_s=0.03)
    async with tiny.engine_of(config, load=lambda: tiny.tiny_models(SlowRunner)) as engine:
        speaking = asyncio.create_task(tiny.pcm(tiny.speak(engine, tiny.asked("a"))))
        while not speaking.done():
            assert engine.step_s < config.stall_s
            await asyncio.sleep(0.001)
        assert len(speaking.result()) > 0
    assert any("This machine is slow for the model" in text for text in caplog.messages)


class ShortBreath(nn.Module):
    """A flow's estimator that fails on windows as long as only the measured ones are."""

    def __init__(self, estimator: Any) -> None:
        super().__init__()
        self.inner = estimator

    def __getattr__(self, name: str) -> Any:
        return super().__getattr__(name) if name == "inner" else getattr(self.inner, name)

    def velocity(self, mel: Tensor, *others: Any, **options: Any) -> Tensor:
        if mel.shape[1] > 2 * PROMPT_TOKENS:
            raise RuntimeError("out of breath")
        velocity: Tensor = self.inner.velocity(mel, *others, **options)
        return velocity


async def test_a_fault_while_it_is_measured_ends_the_start_with_its_cause() -> None:
    models = tiny.tiny_models()
    models.flow.estimator = cast(Any, ShortBreath(models.flow.estimator))
    engine = await tiny.ready(tiny.tiny_engine(load=lambda: models))
    assert (engine.state.status, engine.state.cause) == ("failed", "RuntimeError: out of breath")
    engine.close()


def test_on_a_faked_gpu_the_vocoders_meet_a_streams_lengths_and_those_of_ten_seconds() -> None:
    """HiFT's frames are padded to a multiple of 64 on a GPU; the models here are on the CPU."""
    models, lengths = tiny.tiny_models(), set[int]()
    hift = models.vocoders[24000]
    assert isinstance(hift, HiFT)
    hift.conv_pre.register_forward_pre_hook(lambda _, given: lengths.add(given[0].shape[-1]))
    faked = replace(models, llm=cast(Any, SimpleNamespace(device=torch.device("cuda", 0))))
    voices = VoiceFeatures(models, 1)
    assert WarmUp(models, voices, on_done=print).spans_to_meet((12, 25, 50, 100)) == []
    warm_up = WarmUp(faked, voices, on_done=print)
    spans = warm_up.spans_to_meet((12, 25, 50, 100))
    assert {span.request.speech.sample_rate for span in spans} == {24000, 32000}
    streamed = [span.window.end - span.window.first for span in spans if span.window.first]
    assert {25, 50, 100} <= {*streamed}
    renders, request = Token2Wav(models, tiny.CONFIG), warm_up.measured_request()
    assert measure_pace(renders, request, spans, decode=(0.1, 0.01), one_core=False) is not None
    assert {-(-length // 64) * 64 for length in lengths} >= {64, 128, 192, 256, 320, 384, 448, 512}
    assert not any(span.request.carried for span in spans), "each stream came to its end"


class Hindered(Machine):
    """A simulated machine. In its measurement number `hiccup`, another program takes ten seconds."""

    n_measured = hiccup = 0

    def flow_seconds(self, span: Span) -> float:
        return super().flow_seconds(span) + self._lost_s()

    def vocoder_seconds(self, span: Span) -> float:
        return super().vocoder_seconds(span) + self._lost_s()

    def _lost_s(self) -> float:
        self.n_measured += 1
        return 10.0 if self.n_measured == self.hiccup else 0.0


@pytest.mark.parametrize("hiccup", range(1, 10))
def test_one_hiccup_while_it_is_measured_changes_neither_pace_nor_patience(hiccup: int) -> None:
    machine = Hindered(Speed())
    undisturbed, machine.n_measured, machine.hiccup = machine.pace, 0, hiccup
    assert machine.measured() == undisturbed
    assert machine.n_measured == 9
    assert patience(machine.measured(), EngineConfig(flow_steps=2), FlowConfig()) == 1
