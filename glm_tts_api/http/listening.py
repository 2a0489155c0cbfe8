"""Accepts connections on a listening socket. Knows sockets; knows no routes."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from typing import Any

logger = logging.getLogger(__name__)
_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_RETRY_S = 1.0  # also keeps the log short: thousands may fail in a second


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
            logger.error("Connections cannot be accepted now: %s", error)
            self._loop.remove_reader(self._socket)
            self._loop.call_later(_RETRY_S, self._open)
            return
        client.setblocking(False)
        opening = self._loop.create_task(self._loop.connect_accepted_socket(self._make_protocol, client))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)
