"""One thread an operator: the machine that runs the tests may be busy, and threads that wait spin. A GPU is
used as a server uses it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import torch

from glm_tts_api.engine.client import EngineClient
from glm_tts_api.engine.engine import Engine
from glm_tts_api.engine.torch_flags import set_torch_flags
from tests.engine import tiny
from tests.engine.tiny_process import running


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    """An engine with tiny models in this process."""
    async with tiny.engine_of() as engine:
        yield engine


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[EngineClient]:
    """An engine with tiny models in a process of its own."""
    async with running(tmp_path) as client:
        yield client


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def as_a_server() -> None:
    set_torch_flags(torch.device("cuda" if torch.cuda.is_available() else "cpu"), os.environ)
