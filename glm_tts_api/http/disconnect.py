"""Cancels a handler's work when its client disconnects. Otherwise a handler runs on after that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Receive

from glm_tts_api.errors import ClientGone


@asynccontextmanager
async def cancelled_on_disconnect(receive: Receive) -> AsyncIterator[None]:
    """Cancels the code inside the `async with` block when the client disconnects, and raises ClientGone in
    place of CancelledError.

    `receive` is the ASGI callable of a request whose body has already been read.
    """
    task = asyncio.current_task()
    assert task is not None
    cancels_before = task.cancelling()
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        task.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if gone and task.uncancel() <= cancels_before:
            raise ClientGone from None
        raise
    finally:
        watcher.cancel()
