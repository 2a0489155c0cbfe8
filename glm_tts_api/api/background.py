"""Tasks that run as long as the server does. None of them ends unseen."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)
_AGAIN_S = 10.0
_TOLD_S = 60.0  # a task that has run for so long after an error runs well


class Background:
    """Runs tasks, and begins a task that an error has ended again. Uses asyncio."""

    def __init__(self) -> None:
        self._failed_at: dict[str, float] = {}

    @property
    def warnings(self) -> list[str]:
        """A sentence for each task that has failed in the last minute."""
        now = time.monotonic()
        return [
            f"A task of the server ({name}) ended by an error and was begun again: the log has the details."
            for name, failed_at in self._failed_at.items()
            if now - failed_at < _TOLD_S
        ]

    async def keep(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Calls `run` until it returns without an error. Logs each error and waits ten seconds after it. The
        log and the warnings call the task `name`."""
        while True:
            try:
                return await run()
            except Exception:
                logger.exception("A task of the server (%s) begins again", name)
                self._failed_at[name] = time.monotonic()
            await asyncio.sleep(_AGAIN_S)
