"""Waiting for what comes about by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

FoundT = TypeVar("FoundT")


def wait_until(holds: Callable[[], FoundT | None], seconds: float = 30) -> FoundT:
    """Waits until `holds()` gives something true, and returns it."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "did not come about in time"
        time.sleep(0.02)
    return found


def lines_of(caplog: pytest.LogCaptureFixture, logger: str, n: int) -> list[str]:
    """The logger's lines, once there are `n`: a request's is written just after its client has the answer."""

    def lines() -> list[str]:
        return [record.getMessage() for record in list(caplog.records) if record.name == logger]

    wait_until(lambda: len(lines()) >= n)
    return lines()
