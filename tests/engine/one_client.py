"""An engine in a process of its own with tiny models, for the tests of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from glm_tts_api.contracts import Float32, Timings
from glm_tts_api.engine.client import EngineClient
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.stream import SpeechStream
from tests.engine import tiny
from tests.engine.processes import until
from tests.engine.tiny_process import COMMAND, FEW_ROWS, tiny_client

TEXT = "abcd/efgh"
LONG = "/".join(["abcdefgh"] * 60)


@asynccontextmanager
async def running(
    folder: Path,
    config: EngineConfig = FEW_ROWS,
    *,
    watchdog_s: float = 60,
    command: Sequence[str] = COMMAND,
) -> AsyncIterator[EngineClient]:
    client = tiny_client(folder, config, watchdog_s=watchdog_s, command=command)
    client.start()
    try:
        async with asyncio.timeout(180):
            await is_ready(client)
            yield client
    finally:
        await client.close()


async def is_ready(client: EngineClient) -> None:
    await until(lambda: client.state.status == "ready")


def begin(client: EngineClient, text: str = TEXT, **options: Any) -> SpeechStream:
    return client.synthesize(tiny.asked(text, **options), Timings())


async def say(client: EngineClient, text: str = TEXT, **options: Any) -> Float32:
    freed = asyncio.Event()
    stream = begin(client, text, **options)
    stream.on_freed(freed.set)
    audio = await tiny.pcm(stream)
    await freed.wait()
    return audio


def scene(run: Callable[[], Any]) -> None:
    asyncio.run(run())
