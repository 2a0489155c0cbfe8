"""What an engine says of its speed once it is ready, and what becomes of one that cannot be measured."""

from __future__ import annotations

import asyncio
import logging
import math
from dataclasses import replace
from typing import Any

import pytest
import tiny
from torch import Tensor, nn

from glm_tts_api.engine.engine import Engine
from glm_tts_api.engine.state import EngineInfo
from glm_tts_api.engine.stream_pace import PROMPT_TOKENS
from glm_tts_api.model.checkpoint import Models


async def info_and_close(engine: Engine) -> EngineInfo | None:
    await tiny.ready(engine)
    try:
        return engine.info()
    finally:
        await engine.close()


@pytest.mark.parametrize("steps", [1, 2])
def test_a_ready_engine_has_a_forecast_for_its_schedule(steps: int, caplog: pytest.LogCaptureFixture) -> None:
    config = replace(tiny.CONFIG, flow_steps=steps, stream_chunks=(4, 8))
    with caplog.at_level(logging.INFO):
        info = asyncio.run(info_and_close(tiny.tiny_engine(config)))
    assert info is not None
    assert info.streaming is not None
    assert 0 < info.streaming.first_audio_s < math.inf
    assert info.streaming.chunks == (4, 8)
    assert any("A lone listener of STREAM_CHUNKS=4,8 hears" in text for text in caplog.messages)


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


def test_a_fault_while_it_is_measured_ends_the_start_with_its_cause() -> None:
    def load() -> Models:
        models = tiny.tiny_models()
        models.flow.estimator = ShortBreath(models.flow.estimator)
        return models

    async def scene() -> None:
        engine = await tiny.ready(tiny.tiny_engine(load=load))
        assert (engine.state.status, engine.state.cause) == ("failed", "RuntimeError: out of breath")
        await engine.close()

    asyncio.run(asyncio.wait_for(scene(), 60))
