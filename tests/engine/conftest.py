"""One thread an operator: the machine that runs the tests may be busy, and threads that wait spin. A GPU is
used as a server uses it."""

from __future__ import annotations

import os

import pytest
import torch

from glm_tts_api.engine.torch_flags import set_torch_flags


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def as_a_server() -> None:
    set_torch_flags(torch.device("cuda" if torch.cuda.is_available() else "cpu"), os.environ)
