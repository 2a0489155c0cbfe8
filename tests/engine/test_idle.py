"""An engine whose model is unloaded while nobody speaks, and that comes back as it was."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from glm_tts_api.contracts import Float32
from glm_tts_api.engine.engine import Engine
from glm_tts_api.errors import Unhealthy
from glm_tts_api.model.checkpoint import Models
from tests.engine import tiny

TEXT = "abcd/efgh"


class Shelf:
    """Loads models, and knows which of them are in memory."""

    def __init__(self) -> None:
        self.loaded: list[weakref.ref[Any]] = []
        self.fault: Exception | None = None

    def load(self) -> Models:
        if self.fault is not None:
            raise self.fault
        models = tiny.tiny_models()
        self.loaded += [weakref.ref(part) for part in (models.llm, models.flow, models.vocoders[24000])]
        return models

    @property
    def n_in_memory(self) -> int:
        gc.collect()
        return sum(part() is not None for part in self.loaded)


async def say(engine: Engine, text: str = TEXT) -> Float32:
    await engine.wake()
    freed = asyncio.Event()
    stream = engine.synthesize(tiny.asked(text))
    stream.on_freed(freed.set)
    audio = await tiny.pcm(stream)
    await freed.wait()
    return audio


def device_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(("decode", "render"))]


def with_engine(shelf: Shelf, scene: Callable[[Engine], Any]) -> None:
    async def run() -> None:
        async with asyncio.timeout(120):
            engine = await tiny.ready(tiny.tiny_engine(load=shelf.load))
            await scene(engine)
            await engine.close()

    asyncio.run(run())


def test_an_unloaded_model_is_out_of_memory_and_comes_back_once_with_the_same_sound() -> None:
    shelf = Shelf()

    async def scene(engine: Engine) -> None:
        before, info = await say(engine), engine.info()
        await engine.unload()
        assert (shelf.n_in_memory, device_threads()) == (0, [])
        assert (engine.state.status, engine.info(), engine.usage()) == ("idle", info, None)
        assert await engine.clear_cache() == 0
        together = [asyncio.create_task(say(engine)) for _ in range(3)]
        while not device_threads():  # noqa: ASYNC110
            await asyncio.sleep(0)
        states = [engine.state.status]
        for audio in await asyncio.gather(*together):
            np.testing.assert_array_equal(audio, before)
        assert [*states, engine.state.status] == ["reloading", "ready"]
        assert len(shelf.loaded) == 6

    with_engine(shelf, scene)


def test_it_is_idle_from_the_end_of_its_last_request_on() -> None:
    async def scene(engine: Engine) -> None:
        await say(engine)
        while not engine.idle_for(0):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        stream = engine.synthesize(tiny.asked(TEXT))
        await asyncio.sleep(0.01)
        assert not engine.idle_for(0)
        await tiny.pcm(stream)
        while not engine.idle_for(0):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        await engine.unload()
        assert not engine.idle_for(0)

    with_engine(Shelf(), scene)


def test_a_request_that_comes_while_it_is_unloaded_is_spoken() -> None:
    async def scene(engine: Engine) -> None:
        unloading = asyncio.create_task(engine.unload())
        await asyncio.sleep(0)
        assert engine.state.status == "idle"
        assert len(await say(engine)) > 0
        await unloading

    with_engine(Shelf(), scene)


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
                stalled.append(engine.in_a_step_for(1))

    async def run() -> None:
        await tiny.ready(engine)
        await engine.close()

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


def test_a_model_that_cannot_be_loaded_again_is_lost_and_whoever_waits_hears_it() -> None:
    shelf = Shelf()

    async def scene(engine: Engine) -> None:
        await engine.unload()
        shelf.fault = OSError("the disk is gone")
        with pytest.raises(Unhealthy):
            await say(engine)
        assert engine.state.status == "lost"
        assert engine.state.cause == "the model could not be loaded again: OSError: the disk is gone"

    with_engine(shelf, scene)


def test_a_request_that_comes_while_the_caches_are_cleared_keeps_the_model() -> None:
    """The model is to be unloaded, which waits for the caches; then a request comes, and is spoken."""

    async def scene(engine: Engine) -> None:
        clearing = asyncio.create_task(engine.clear_cache())
        await asyncio.sleep(0)
        unloading = asyncio.create_task(engine.unload())
        await asyncio.sleep(0)
        assert len(await say(engine)) > 0
        await asyncio.gather(clearing, unloading)
        assert engine.state.status == "ready"

    with_engine(Shelf(), scene)
