"""Makes changes of a job take turns: one after the other in a server, and among servers by the lock of the
job's folder."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from glm_tts_api.errors import JobRuns
from glm_tts_api.longform.shelf import Look, no_such_job

PATIENCE_S = 5.0  # for another server to let go
_TRY_EVERY_S = 0.05


@asynccontextmanager
async def held(look: Look) -> AsyncIterator[None]:
    """Holds the lock of the job's folder. A server that runs the job lets go of it. Raises JobRuns where the
    holder does not."""
    with ExitStack() as stack:
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                stack.enter_context(look.folder.locked())
                break
            except JobRuns:
                if time.monotonic() > until:
                    raise
                await asyncio.to_thread(look.folder.want)
                await asyncio.sleep(_TRY_EVERY_S)
        await asyncio.to_thread(look.folder.take_wish)
        yield


@asynccontextmanager
async def change_of(look: Look) -> AsyncIterator[None]:
    """One after the other. Raises UnknownJob where the one before deleted it."""
    async with look.changing:
        try:
            yield
        except FileNotFoundError:
            raise no_such_job() from None
