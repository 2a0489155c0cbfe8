"""One thread an operator: the machine that runs the tests may be busy, and threads that wait spin. A GPU is
used as a server uses it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import torch

from glm_tts_api.engine.client import EngineClient
from glm_tts_api.engine.engine import Engine
from glm_tts_api.engine.torch_flags import set_torch_flags
from tests.engine import tiny
from tests.engine.tiny_process import FEW_ROWS, is_ready, running


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def engine() -> AsyncIterator[Engine]:
    """An engine with tiny models in this process."""
    async with tiny.engine_of() as engine:
        yield engine


@pytest.fixture(scope="module")
async def begun_client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EngineClient]:
    config = replace(FEW_ROWS, stream_buffer_s=0.1)
    async with running(tmp_path_factory.mktemp("models"), config) as client:
        yield client


@pytest.fixture
async def client(begun_client: EngineClient) -> EngineClient:
    """A ready engine with tiny models in a process of its own. No more than 0.1 s of audio wait for
    a listener."""
    begun_client.wake()
    await is_ready(begun_client)
    return begun_client


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def as_a_server() -> None:
    set_torch_flags(torch.device("cuda" if torch.cuda.is_available() else "cpu"), os.environ)
