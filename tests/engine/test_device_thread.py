"""A stage's thread, and the threads that help it."""

from __future__ import annotations

import os
import time

import torch

from glm_tts_api.engine.device_thread import DeviceThread


def threads() -> set[str]:
    """The numbers of this process's threads."""
    return set(os.listdir("/proc/self/task"))


def test_an_idle_thread_has_no_helpers() -> None:
    """Sleeping helpers would slow the other stages' down."""
    numbers = torch.ones(200_000)  # enough for two threads; the test's own may have a helper by now
    before = threads()  # those of an earlier test may end while this one runs: only new ones are counted
    thread = DeviceThread("alone", lambda: False, n_threads=2, on_fault=lambda error: None)
    thread.start()
    while_busy = thread.ask(lambda: (numbers.exp(), len(threads() - before))[1]).result()
    again = thread.ask(lambda: numbers.exp().sum().item()).result()
    give_up = time.monotonic() + 10
    while len(threads() - before) > 1 and time.monotonic() < give_up:
        time.sleep(0.01)
    assert (while_busy, len(threads() - before)) == (2, 1)
    assert again > 0
    thread.close()
