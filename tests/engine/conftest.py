"""One thread an operator: the machine that runs the tests may be busy, and threads that wait spin."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
