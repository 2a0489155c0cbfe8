"""An engine in a process of its own with tiny models, and what tests of it wait for.

`python -m tests.engine.tiny_process DESCRIPTOR` is the process. At "~" its LLM fails as a GPU does after an
illegal access. Each step takes STEP_S, so that others are at work too. A file `gone` in the checkpoint's
folder keeps it from loading.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from glm_tts_api.contracts import Float32
from glm_tts_api.engine import messages
from glm_tts_api.engine.client import EngineClient
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.engine import Engine
from glm_tts_api.engine.faults import EngineLost
from glm_tts_api.engine.process import main
from glm_tts_api.errors import CheckpointError
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm_runner import LlmRunner
from tests.engine import tiny

STEP_S = 0.005
COMMAND = (sys.executable, "-m", "tests.engine.tiny_process")
FEW_ROWS = replace(tiny.CONFIG, n_rows=4)  # a step is reckoned short
DEVICE_ERROR = "CUDA error: an illegal memory access was encountered"


class StumblingRunner(LlmRunner):
    def prefill(self, ids: Sequence[int] | Tensor, *, cache: KVCache, slot: int, start: int = 0) -> Tensor:
        if ord("~") in list(ids):
            raise torch.AcceleratorError(f"{DEVICE_ERROR}\nCUDA kernel errors might be ...")
        return super().prefill(ids, cache=cache, slot=slot, start=start)

    def decode(self, *arguments: Any, **options: Any) -> Tensor:
        time.sleep(STEP_S)
        return super().decode(*arguments, **options)


def build(load: messages.Load, on_lost: Callable[[EngineLost], None]) -> Engine:
    def models() -> Models:
        if Path(load.checkpoint_dir, "gone").exists():
            raise CheckpointError("the weights are gone")
        torch.set_num_threads(1)
        return tiny.tiny_models(StumblingRunner, device=load.again.device if load.again else load.device)

    return tiny.tiny_engine(load.config, load=models, on_lost=on_lost)


def load_of(folder: Path, config: EngineConfig = FEW_ROWS) -> messages.Load:
    return messages.Load(
        number=0,
        n_engines=1,
        checkpoint_dir=str(folder),
        device="cpu",
        dtype="fp32",
        config=config,
        text_rules="default",
        max_characters=5000,
        configs_dir="",
        cache_dir="",
        logs_json=False,
        logs_texts=False,
    )


def tiny_client(
    folder: Path, config: EngineConfig = FEW_ROWS, *, watchdog_s: float = 60, command: Sequence[str] = COMMAND
) -> EngineClient:
    """An engine whose process runs this file, or another command."""
    return EngineClient(load_of(folder, config), watchdog_s=watchdog_s, command=command)


async def until(holds: Callable[[], bool], seconds: float = 120) -> None:
    """Waits for what comes about by itself."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def is_gone(pid: int) -> bool:
    """Whether it has ended, though nobody may have asked how."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


TEXT = "abcd/efgh"
LONG = "/".join(["abcdefgh"] * 60)


@asynccontextmanager
async def running(
    folder: Path, config: EngineConfig = FEW_ROWS, *, watchdog_s: float = 60, command: Sequence[str] = COMMAND
) -> AsyncIterator[EngineClient]:
    client = tiny_client(folder, config, watchdog_s=watchdog_s, command=command)
    client.start()
    try:
        await is_ready(client)
        yield client
    finally:
        await client.close()


async def is_ready(client: EngineClient) -> None:
    await until(lambda: client.state.status == "ready")


def begin(client: EngineClient, text: str = TEXT, **options: Any) -> tiny.Heard:
    heard = tiny.Heard(
        lambda: client.send(messages.Cancel(number)),
        lambda seconds: client.send(messages.Credit(number, seconds)),
    )
    number = client.speak(heard, tiny.asked(text, **options), {}, 0)
    return heard


async def say(client: EngineClient, text: str = TEXT, **options: Any) -> Float32:
    stream = begin(client, text, **options)
    audio = await tiny.pcm(stream)
    await stream.is_freed.wait()
    return audio


if __name__ == "__main__":
    main(build)
