"""Whatever goes wrong while the engine loads, its state says so: nobody waits for a load that is dead."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import threading
import time
from typing import Any

import pytest

from glm_tts_api.engine import core
from glm_tts_api.engine.core import EngineCore
from glm_tts_api.engine.device_thread import DeviceThread
from glm_tts_api.engine.engine import Engine
from glm_tts_api.engine.state import EngineState
from glm_tts_api.model.checkpoint import Models
from tests.engine import tiny


def state_after_loading(engine: Engine) -> EngineState:
    async def run() -> EngineState:
        async with asyncio.timeout(60):
            await tiny.ready(engine)
        engine.close()
        return engine.state

    return asyncio.run(run())


def raises(error: BaseException) -> Any:
    def load(*_: object) -> Any:
        raise error

    return load


@pytest.mark.parametrize(
    "error", [ValueError("no weights"), SystemExit("no weights"), MemoryError("no weights")]
)
def test_a_model_that_cannot_be_loaded(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    state = state_after_loading(tiny.tiny_engine(load=raises(error)))
    assert state == EngineState("failed", f"{type(error).__name__}: no weights")
    assert "on the decode thread" not in caplog.text  # another fault, beside the one that is told


@pytest.mark.parametrize("error", [FileNotFoundError("no grammar"), SystemExit("no grammar")])
def test_a_text_front_end_that_cannot_be_loaded(error: BaseException) -> None:
    engine = Engine(tiny.CONFIG, load_models=tiny.tiny_models, load_frontend=raises(error))
    assert state_after_loading(engine) == EngineState(
        "failed", f"the text front end: {type(error).__name__}: no grammar"
    )


def test_a_front_end_that_fails_is_said_before_the_model_is_there() -> None:
    """Which takes minutes where it is large."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        may_load = asyncio.Event()

        def load() -> Models:
            asyncio.run_coroutine_threadsafe(may_load.wait(), loop).result(60)
            return tiny.tiny_models()

        engine = Engine(tiny.CONFIG, load_models=load, load_frontend=raises(OSError("no grammar")))
        async with asyncio.timeout(60):
            await tiny.ready(engine)
        assert engine.state.cause == "the text front end: OSError: no grammar"
        may_load.set()
        engine.close()

    asyncio.run(run())


@pytest.mark.parametrize("step", ["_decode_step", "_render_step", "_admit", "_start_renderers"])
def test_a_fault_on_any_thread(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EngineCore, step, raises(SystemExit("worn out")))
    assert state_after_loading(tiny.tiny_engine()) == EngineState("failed", "SystemExit: worn out")


def test_a_machine_without_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decode thread's own start; a stand-in for a limit on processes, which would hit the tests too."""
    monkeypatch.setattr(DeviceThread, "start", raises(RuntimeError("can't start new thread")))
    state = state_after_loading(tiny.tiny_engine())
    assert state == EngineState("failed", "RuntimeError: can't start new thread")


def test_a_thread_that_cannot_be_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "use_own_stream", raises(RuntimeError("no stream")))
    assert state_after_loading(tiny.tiny_engine()) == EngineState("failed", "RuntimeError: no stream")


def test_a_priority_that_cannot_be_set_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As where a sandbox forbids the call; the test of scripts under `nice` needs no stand-in."""
    monkeypatch.setattr(os, "setpriority", raises(PermissionError(13, "Permission denied")))
    with caplog.at_level(logging.WARNING):
        assert state_after_loading(tiny.tiny_engine()) == EngineState("ready")
    assert "The priority of the render-0 thread cannot be changed" in caplog.text


def test_a_step_that_began_before_the_engine_was_ready_does_not_count_as_one_that_does_not_end() -> None:
    """The last step of a load, in which memory is collected, ends just after the engine is ready."""
    stalled: list[bool] = []

    def collect(phase: str, info: dict[str, int]) -> None:
        in_a_step = threading.current_thread().name.startswith("render")
        if (phase, info["generation"], in_a_step) == ("start", 2, True):
            time.sleep(2)

    class Watching(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage().startswith("Ready after"):  # said within that step
                stalled.append(engine.step_s >= 1)

    async def run() -> None:
        await tiny.ready(engine)
        engine.close()

    engine = tiny.tiny_engine()
    logger, watching = logging.getLogger("glm_tts_api.engine.engine"), Watching()
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(watching)
    gc.callbacks.append(collect)
    try:
        asyncio.run(run())
    finally:
        gc.callbacks.remove(collect)
        logger.removeHandler(watching)
        logger.setLevel(level)
    assert stalled == [False]
