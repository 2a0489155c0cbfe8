"""A text at which engines die, beside others: real engine processes, which die as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np

from glm_tts_api.contracts import Float32
from glm_tts_api.speech.resumed_stream import ResumedStream
from tests.engine import echo_process, tiny
from tests.engine.tiny_process import tiny_client, until
from tests.speech.lanes import Service


async def pcm(stream: ResumedStream) -> Float32:
    return np.concatenate([chunk.pcm async for chunk in stream])


class Processes(Service):
    """Engines in processes, which count in the files of `folder` how often each text was begun."""

    def __init__(self, folder: Path, n_engines: int) -> None:
        self._folder = folder
        self.clients = [tiny_client(folder, command=echo_process.COMMAND) for _ in range(n_engines)]
        super().__init__(self.clients)

    def text(self, name: str, turns: str) -> AbstractAsyncContextManager[ResumedStream]:
        return self.speaking(tiny.asked(f"turns:{turns}:{self._folder / name}"))

    async def say(self, name: str, turns: str = "+") -> Float32:
        async with self.text(name, turns) as stream:
            return await pcm(stream)


def run(scene: Callable[[Processes], Any], folder: Path, n_engines: int) -> None:
    async def play() -> None:
        service = Processes(folder, n_engines)
        service.engines.start()
        try:
            async with asyncio.timeout(240):
                await until(lambda: all(each.state.status == "ready" for each in service.clients))
                await scene(service)
        finally:
            await service.engines.close()

    asyncio.run(play())


@asynccontextmanager
async def listening(service: Processes, name: str) -> AsyncIterator[None]:
    """A listener whose speech does not end, and who hears more of it afterwards."""
    async with service.text(name, "-") as stream:
        await anext(stream)
        n_heard = 1

        async def hear() -> None:
            nonlocal n_heard
            async for _ in stream:
                n_heard += 1

        hearing = asyncio.create_task(hear())
        yield
        n_before = n_heard
        await until(lambda: n_heard > n_before)
        hearing.cancel()
        await asyncio.wait({hearing})


def test_a_suspect_and_all_others_are_spoken_though_a_listener_never_ends(tmp_path: Path) -> None:
    async def scene(service: Processes) -> None:
        async with listening(service, "listener"):
            assert len(await service.say("suspect", "^^+")) > 0
            assert len(await service.say("other")) > 0

    run(scene, tmp_path, 2)
