"""A server that is told to end while its engines load."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from tests.api.server_process import Server


def test_a_stop_does_not_wait_for_engines_that_load(start: Callable[..., Server]) -> None:
    server = start(workers=2, load_s=(60, 60))
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(20)
    assert time.monotonic() - began < 30
    assert "Traceback" not in server.log.read_text()
