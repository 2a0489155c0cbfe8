"""Returns freed memory that the C library keeps for later.

Each thread has its own heap there. Every text and voice has tensors of other sizes, which do not fit where
the last ones were: the heaps were seen to grow by hundreds of megabytes within minutes.
"""

from __future__ import annotations

import ctypes
import time

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h


class SpareMemory:
    """Goes back to the system every `every_s` seconds. Safe to use from several threads."""

    def __init__(self, every_s: float = 10) -> None:
        self._every_s = every_s
        self._given_back_at = time.monotonic()

    def give_back_if_due(self) -> None:
        """To be called now and then where nobody waits: takes some 30 ms."""
        now = time.monotonic()
        if now - self._given_back_at >= self._every_s:
            self._given_back_at = now  # two threads that come at once do no harm
            give_back()


def keep_for_reuse() -> None:
    """Makes the heaps keep what is freed until it is given back: tensors of up to 32 MB, and 256 MB at the
    end of each heap. Nothing where the C library is not glibc. Left to itself it hands the pages of a large
    tensor back at once, and the system cleans them for the next one: a quarter of the flow's time.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, 2**25)
        set_option(_M_TRIM_THRESHOLD, 2**28)


def give_back() -> None:
    """Hands every free page of the heaps to the system; nothing where the C library is not glibc."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
