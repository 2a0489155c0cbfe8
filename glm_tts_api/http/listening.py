"""A private listener beside the port, by which a server is tried before it takes that. Knows sockets and
uvicorn; knows no routes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from glm_tts_api.handover import private_socket
from glm_tts_api.http.connections import Connection, Connections

logger = logging.getLogger(__name__)


def log_accept_errors_sparingly(loop: asyncio.AbstractEventLoop) -> None:
    """asyncio tells of each connection that it cannot accept, some thousand times a second."""
    told_at = -1.0

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal told_at
        if not str(context.get("message", "")).startswith("socket.accept()"):
            loop.default_exception_handler(context)
        elif time.monotonic() - told_at >= 1.0:
            told_at = time.monotonic()
            logger.error("Connections cannot be accepted now: %s", context.get("exception"))

    loop.set_exception_handler(handle)


@asynccontextmanager
async def private_listener(app: ASGIApp, path: Path, connections: Connections) -> AsyncIterator[None]:
    """Serves `app` on the Unix socket `path`, which only this user may use, for as long as it lasts."""
    config = uvicorn.Config(app, http=Connection, ws="none", lifespan="off", log_config=None)
    config.load()
    state = ServerState()

    def connect() -> Connection:
        return Connection(config, state, {"connections": connections})

    server = await asyncio.get_running_loop().create_unix_server(connect, sock=private_socket(path))
    try:
        yield
    finally:
        server.close()
        for connection in list(state.connections):
            connection.shutdown()
