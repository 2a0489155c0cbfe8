"""One thread: threads that wait for each other, beside other tests, took twice the CPU time of all else.
`scripts/check_parity.py` has one for each core."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
