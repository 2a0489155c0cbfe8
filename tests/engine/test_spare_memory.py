"""What was freed goes back to the system; beside the Linux kernel's own account of a process."""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from glm_tts_api.engine.spare_memory import SpareMemory, give_back

PIECE = 25_000  # floats: 100 kB, which never have pages of their own
KEPT = 50


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


@pytest.fixture
def freed_200_mb() -> Iterator[None]:
    """What a thread has left behind between tensors that live on."""
    living = []

    def work() -> None:
        pieces = [torch.ones(PIECE) for _ in range(2000)]
        living.extend(pieces[:: len(pieces) // KEPT])

    give_back()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    yield
    assert len(living) == KEPT


@pytest.mark.parametrize("call", [give_back, SpareMemory(give_back, every_s=0).give_back_if_due])
def test_what_lies_free_between_living_tensors_goes_back(
    freed_200_mb: None, call: Callable[[], None]
) -> None:
    before = resident_mb()
    call()
    assert before - resident_mb() > 100


def test_it_stays_for_reuse_until_it_is_due(freed_200_mb: None) -> None:
    before = resident_mb()
    SpareMemory(give_back, every_s=3600).give_back_if_due()
    assert before - resident_mb() < 50
