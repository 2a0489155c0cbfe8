"""Accepts connections on a listening socket. Knows sockets; knows no routes."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import time
from collections.abc import Callable
from typing import Any

logger = logging.getLogger(__name__)
_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_RETRY_S = 1.0


class Listener:
    """Accepts the connections of a listening socket, one at each turn of the event loop, so that the limit of
    connections is checked after each. asyncio's own server accepts all waiting connections at once, and loses
    some when it is closed."""

    def __init__(
        self, listener: socket.socket, make_protocol: Callable[[], asyncio.Protocol], *, backlog: int
    ) -> None:
        self._socket = listener
        self._make_protocol = make_protocol
        self._loop = asyncio.get_running_loop()
        self._opening: set[asyncio.Task[Any]] = set()
        listener.setblocking(False)
        listener.listen(backlog)
        self._open()

    def close(self) -> None:
        """Accepts no more connections. Waiting connections stay for another server with the same socket."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    async def wait_closed(self) -> None:
        """Does nothing. uvicorn calls this after `close`, which has closed the listener already."""

    def _open(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        try:
            client, _ = self._socket.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another server was faster, or the client has left
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            context = {"message": "socket.accept() out of system resource", "exception": error}
            self._loop.call_exception_handler(context)
            self._loop.remove_reader(self._socket)
            self._loop.call_later(_RETRY_S, self._open)
            return
        client.setblocking(False)
        opening = self._loop.create_task(self._loop.connect_accepted_socket(self._make_protocol, client))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)


def log_accept_errors_sparingly(loop: asyncio.AbstractEventLoop) -> None:
    """Makes `loop` log at most one failed accept per second. asyncio alone logs each failure, up to thousands
    per second."""
    told_at = -1.0

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal told_at
        if not str(context.get("message", "")).startswith("socket.accept()"):
            loop.default_exception_handler(context)
        elif time.monotonic() - told_at >= 1.0:
            told_at = time.monotonic()
            logger.error("Connections cannot be accepted now: %s", context.get("exception"))

    loop.set_exception_handler(handle)
