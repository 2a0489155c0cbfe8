"""Whatever goes wrong while the engine loads, its state says so: nobody waits for a load that is dead."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from typing import Any
from unittest.mock import MagicMock

import pytest

from glm_tts_api.engine import core
from glm_tts_api.engine.core import EngineCore
from glm_tts_api.engine.device_thread import DeviceThread
from glm_tts_api.engine.engine import Engine
from glm_tts_api.engine.state import EngineState
from glm_tts_api.model.checkpoint import Models
from tests.engine import tiny


async def state_after_loading(engine: Engine) -> EngineState:
    async with asyncio.timeout(60):
        await tiny.ready(engine)
    engine.close()
    return engine.state


def raises(error: BaseException) -> Any:
    return MagicMock(side_effect=error)


@pytest.mark.parametrize("error", [ValueError("no weights"), SystemExit("no weights")])
async def test_a_model_that_cannot_be_loaded(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    state = await state_after_loading(tiny.tiny_engine(load=raises(error)))
    assert state == EngineState("failed", f"{type(error).__name__}: no weights")
    assert "on the decode thread" not in caplog.text  # another fault, beside the one that is told


@pytest.mark.parametrize("error", [FileNotFoundError("no grammar"), SystemExit("no grammar")])
async def test_a_front_end_that_fails_is_said_before_the_model_is_there(error: BaseException) -> None:
    """Which takes minutes where it is large."""
    may_load = threading.Event()

    def load() -> Models:
        may_load.wait(60)
        return tiny.tiny_models()

    engine = Engine(tiny.CONFIG, load_models=load, load_frontend=raises(error))
    async with asyncio.timeout(60):
        await tiny.ready(engine)
    may_load.set()
    assert engine.state == EngineState("failed", f"the text front end: {type(error).__name__}: no grammar")
    engine.close()


@pytest.mark.parametrize(
    ("part", "name"),
    [(EngineCore, step) for step in ("_decode_step", "_render_step", "_admit", "_start_renderers")]
    + [(DeviceThread, "start"), (core, "use_own_stream")],
    ids=str,
)
async def test_a_fault_on_any_thread_or_of_a_thread(
    part: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that cannot be started stands for a limit on processes, which would hit the tests too."""
    error = SystemExit("worn out") if part is EngineCore else RuntimeError("worn out")
    monkeypatch.setattr(part, name, raises(error))
    state = await state_after_loading(tiny.tiny_engine())
    assert state == EngineState("failed", f"{type(error).__name__}: worn out")


async def test_a_priority_that_cannot_be_set_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As where a sandbox forbids the call; the test of scripts under `nice` needs no stand-in."""
    monkeypatch.setattr(os, "setpriority", raises(PermissionError(13, "Permission denied")))
    with caplog.at_level(logging.WARNING):
        assert await state_after_loading(tiny.tiny_engine()) == EngineState("ready")
    assert "The priority of the render-0 thread cannot be changed" in caplog.text
