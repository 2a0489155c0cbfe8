"""The requests that have no answer yet: what a server that stops waits for. Knows asyncio; knows no HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class InFlight:
    """Keeps the task of every unanswered request.

    `closing`: the server stops, nothing new is begun; `cut_off`: the requests left are being ended.
    """

    def __init__(self) -> None:
        self.closing = False
        self.cut_off = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def track(self) -> Iterator[None]:
        """Counts the current task for as long as the context lasts."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._idle.clear()
        try:
            yield
        finally:
            self._tasks.discard(task)
            if not self._tasks:
                self._idle.set()

    async def drain(self, timeout_s: float, *, grace_s: float = 5.0) -> int:
        """Waits for the answers, up to `timeout_s`; then cancels the requests that have none, so that each
        can still say so within `grace_s`. Returns how many were cancelled."""
        if await self._is_idle_within(timeout_s):
            return 0
        self.cut_off = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await self._is_idle_within(grace_s)
        return len(tasks)

    async def _is_idle_within(self, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True
