"""Where connections come in: the listener of a worker, and a private one by which a server is tried before it
takes the port. Knows sockets and uvicorn; knows no routes.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from glm_tts_api.handover import private_socket
from glm_tts_api.http.connections import Connection, Connections

logger = logging.getLogger(__name__)
_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_RETRY_S = 1.0
_POLITE_S = 0.02  # in which one that has less to do takes the connection, unless it hangs

MakeProtocol = Callable[[], asyncio.Protocol]


class Listener:
    """Takes the connections of a listening socket that all workers share, one a turn of the event loop; where
    another worker has less to do, a moment later than that one.

    asyncio's own takes all that wait at once. `may_take` is told how many were taken and are not open yet.
    """

    def __init__(
        self,
        listener: socket.socket,
        make_protocol: MakeProtocol,
        *,
        backlog: int,
        may_take: Callable[[int], bool],
    ) -> None:
        self._socket = listener
        self._make_protocol = make_protocol
        self._may_take = may_take
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[Any]] = set()
        listener.setblocking(False)
        listener.listen(backlog)
        self._open()

    def close(self) -> None:
        """Takes no connection more; those that wait are for others that have the same socket."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    async def wait_closed(self) -> None:
        """uvicorn waits for its servers; this one is closed at once."""

    def _open(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.add_reader(self._socket, self._accept_in_turn)

    def _accept_in_turn(self) -> None:
        if self._may_take(len(self._tasks)):
            self._accept()
        else:
            self._loop.remove_reader(self._socket)
            self._loop.call_later(_POLITE_S, self._accept_late)

    def _accept_late(self) -> None:
        if self._socket.fileno() >= 0:
            self._open()
            self._accept()

    def _accept(self) -> None:
        try:
            client, _ = self._socket.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another worker was faster, or the client has left
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            self._loop.call_exception_handler(
                {"message": "socket.accept() out of system resource", "exception": error}
            )
            self._loop.remove_reader(self._socket)
            self._loop.call_later(_RETRY_S, self._open)
            return
        client.setblocking(False)
        self._begin(self._loop.connect_accepted_socket(self._make_protocol, client))

    def _begin(self, connecting: Coroutine[Any, Any, Any]) -> None:
        task = self._loop.create_task(connecting)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


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
