"""What was freed goes back to the system; beside the Linux kernel's own account of a process."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable

import psutil
import pytest
import torch

from glm_tts_api.engine.spare_memory import SpareMemory, give_back

HELD_APART = """
import asyncio, ctypes
import numpy as np
from glm_tts_api.engine.spare_memory import keep_memory_small

class Mallinfo(ctypes.Structure):
    _fields_ = [(f"of_glibc_{{number}}", ctypes.c_size_t) for number in range(10)]

def mapped_mb():
    look = ctypes.CDLL(None).mallinfo2
    look.restype = Mallinfo
    return look().of_glibc_4 / 2**20  # hblkhd of malloc.h

async def hold():
    {begin}
    await asyncio.sleep(0)
    np.ones(2**21)  # 16 MB, freed at once
    before = mapped_mb()
    held = np.ones(2**20)
    print(mapped_mb() - before)

asyncio.run(hold())
"""
PIECE = 25_000  # floats: 100 kB, which never have pages of their own


@pytest.mark.parametrize(
    ("call", "least_mb", "most_mb"),
    [
        (give_back, 100, 300),
        (SpareMemory(give_back, every_s=0).give_back_if_due, 100, 300),
        (SpareMemory(give_back, every_s=3600).give_back_if_due, -50, 50),
    ],
    ids=["at once", "when it is due", "before it is due"],
)
def test_what_lies_free_between_living_tensors_goes_back(
    call: Callable[[], None], least_mb: float, most_mb: float
) -> None:
    living = []

    def work() -> None:
        pieces = [torch.ones(PIECE) for _ in range(2000)]
        living.extend(pieces[::40])

    give_back()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    before = psutil.Process().memory_info().rss
    call()
    assert least_mb < (before - psutil.Process().memory_info().rss) / 2**20 < most_mb
    assert len(living) == 50


@pytest.mark.parametrize(
    ("begin", "least_mb"), [("task = asyncio.create_task(keep_memory_small())", 8), ("", 0)]
)
def test_a_server_has_its_large_blocks_outside_of_the_heaps(begin: str, least_mb: int) -> None:
    """Otherwise one freed upload of some megabytes is enough for all later ones to lie in the heaps."""
    code = HELD_APART.format(begin=begin)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert least_mb <= float(done.stdout) < least_mb + 1
