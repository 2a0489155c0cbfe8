"""Gives freed memory, which the C library keeps for later, back to the system.

The C library has a heap for each thread. Every text and voice has tensors of other sizes, which do not fit
into the places of earlier tensors. The heaps of an engine were seen to grow by hundreds of megabytes within
minutes. The heaps of a server process held three times what was in use.
"""

from __future__ import annotations

import asyncio
import ctypes
import time
from collections.abc import Callable

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
_LARGE = 2**17  # bytes; the C library's own limit at first
_SPARE_MEMORY_S = 30.0


class SpareMemory:
    """Calls `give_back`, which gives freed memory back to the system, at most once in `every_s` seconds.
    Several threads may use it."""

    def __init__(self, give_back: Callable[[], None], every_s: float = 10) -> None:
        self._give_back, self._every_s = give_back, every_s
        self._given_back_at = time.monotonic()

    def give_back_if_due(self) -> None:
        """Calls `give_back` if the last call was at least `every_s` seconds ago. The call takes some 30 ms,
        so use this method where nobody waits."""
        now = time.monotonic()
        if now - self._given_back_at >= self._every_s:
            self._given_back_at = now  # two threads that come at once do no harm
            self._give_back()


def keep_for_reuse() -> None:
    """Makes the C library keep freed memory until `give_back` is called: tensors of up to 32 MB, and 256 MB
    at the end of each heap. Does nothing where the C library is not glibc. By default glibc gives the pages
    of a large tensor back at once, and the system clears new pages for the next tensor. This clearing took a
    quarter of the flow's time.
    """
    _set_option(_M_MMAP_THRESHOLD, 2**25)
    _set_option(_M_TRIM_THRESHOLD, 2**28)


def return_large_blocks_at_once() -> None:
    """Makes the C library give each block of 128 KB or more back to the system as soon as it is freed. Does
    nothing where the C library is not glibc. By default, once a block of up to 32 MB was freed, glibc
    puts blocks of up to its size into the threads' heaps. Small blocks that come to lie between them keep the
    heaps large."""
    _set_option(_M_MMAP_THRESHOLD, _LARGE)


def _set_option(option: int, value: int) -> None:
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(option, value)


async def keep_memory_small() -> None:
    """Calls `return_large_blocks_at_once`, whose effect stays. Then gives other freed memory back to the
    system every 30 s, which takes some milliseconds, until it is cancelled."""
    return_large_blocks_at_once()
    while True:
        await asyncio.sleep(_SPARE_MEMORY_S)
        await asyncio.to_thread(give_back)


def give_back() -> None:
    """Gives every free page of the heaps back to the system. Does nothing where the C library is not
    glibc."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
