"""Locks that let one change of a job follow another: an asyncio lock within a server, and the lock file of
the job's folder between servers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from glm_tts_api.errors import JobRuns
from glm_tts_api.longform.shelf import Look, no_such_job

PATIENCE_S = 5.0  # how long `held` waits for another server to release the lock
_TRY_EVERY_S = 0.05


@asynccontextmanager
async def held(look: Look) -> AsyncIterator[None]:
    """Holds the lock of the job's folder inside the `async with` block. If another server holds the lock, the
    lock is requested through the file `wanted`, and the call waits. Raises JobRuns if the other server has
    not released the lock within 5 seconds."""
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
    """Holds the lock `look.changing` inside the `async with` block, so that changes of this job follow one
    another within this server. Raises UnknownJob if the block raises FileNotFoundError, since an earlier
    change has deleted the job then."""
    async with look.changing:
        try:
            yield
        except FileNotFoundError:
            raise no_such_job() from None
