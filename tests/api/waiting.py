"""Waiting for what comes about by itself."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "did not come about in time"
        time.sleep(0.02)


def lines_of(caplog: pytest.LogCaptureFixture, logger: str, n: int) -> list[str]:
    """The logger's lines, once there are `n`: a request's is written just after its client has the answer."""

    def lines() -> list[str]:
        return [record.getMessage() for record in list(caplog.records) if record.name == logger]

    wait_until(lambda: len(lines()) >= n)
    return lines()
