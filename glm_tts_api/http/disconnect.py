"""Work only while someone listens. A plain handler runs on after its client has left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Receive

from glm_tts_api.errors import ClientGone


@asynccontextmanager
async def cancelled_on_disconnect(receive: Receive) -> AsyncIterator[None]:
    """Cancels the body of the context when the client leaves, and raises ClientGone in its place.

    `receive` is the request's, its body already read.
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
