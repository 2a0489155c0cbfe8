"""Limits the number of client connections, and the time that each one may keep the server waiting.

uvicorn waits for ever for a request that has not begun, and for a client that does not read its answer. Its
--limit-concurrency counts idle connections too, so idle clients can make it answer 503 to every request, even
to health probes. The server therefore runs uvicorn with the protocol class Connection of this module, as
`--http glm_tts_api.http.connections:Connection` would. Knows sockets and uvicorn; knows no routes.
"""

from __future__ import annotations

import asyncio
import logging
import math
import resource
import socket
import struct
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from glm_tts_api.http.listening import Listener
from glm_tts_api.http.socket_connection import InTurn, SocketConnection

logger = logging.getLogger(__name__)
_MOST_FILES = 65536
_FILES_OF_THE_REST = 256  # for the model, for voices, and for connections that are not counted yet
_LEAST_FILES_OF_THE_REST = 64  # the same where files are few; further connections are then accepted later
_CROWD = 128  # connections beyond the limit that get an answer 503; more are dropped
_SETTLED_S = 1.0  # a connection that has waited for longer than this may be closed for a new client
_STANDS_STILL_S = 1.0
_LINGER_NOT = struct.pack("ii", 1, 0)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_ASK_S, _ASK_AT_MOST_S = 0.1, 5.0  # the first pause and the longest one; each is twice the one before
_LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits for the number, the time and the memory of connections.

    A request's head must arrive within `head_s` seconds. A request is refused if nothing of its body arrives
    for `body_s` seconds. A connection is cut if its client takes nothing of an answer for `send_s` seconds.
    All unsent answers together may hold `unsent_bytes` in memory, all arriving bodies `arriving_bytes`. Above
    that, the connections that make no progress are cut."""

    send_s: float = 60.0
    max_connections: int = 2048
    head_s: float = 20.0
    body_s: float = 60.0
    unsent_bytes: int = 256 * 2**20
    arriving_bytes: int = 256 * 2**20


class Held:
    """Counts the bytes that the server holds for connections: of arriving bodies, or of unsent answers. When
    they exceed `max_bytes` together, cuts the connections that have made no progress for a second, beginning
    with the one that stopped first."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._held: dict[Connection, tuple[int, float]] = {}  # the bytes, and when they last changed

    def hold(self, connection: Connection | None, n_bytes: int, *, is_whole: bool = False) -> bool:
        """Notes that the server now holds `n_bytes` for the connection, in place of what was noted before.
        `is_whole` says that its client has nothing left to do; then it is never cut. Returns false if all
        bytes together are too many, and no connection has stood still. With `n_bytes` 0, forgets the
        connection. Under another ASGI server there is no `connection`; nothing is noted then."""
        if connection is None:
            return True
        self._n_bytes -= self._held.pop(connection, (0, 0.0))[0]
        if not n_bytes:
            return True
        self._held[connection] = n_bytes, math.inf if is_whole else time.monotonic()
        self._n_bytes += n_bytes
        while self._n_bytes > self._max_bytes:
            longest, (_, since) = min(self._held.items(), key=lambda held: held[1][1])
            if time.monotonic() - since < _STANDS_STILL_S:
                return False
            self.hold(longest, 0)
            longest.cut()
        return True


class Connections:
    """Keeps a list of the connections that wait for a client's request, or for the rest of a request. When
    too many connections are open, the connection that has waited longest is closed for a new one.

    `most` is the number of connections that may be open. `listeners` accept connections, and `open` is the
    collection in which the server keeps them; both are empty under another server than ours."""

    def __init__(self, limits: ConnectionLimits, *, max_files: int) -> None:
        self.head_s = limits.head_s
        # Each connection may need a second open file for an uploaded recording. Where files are few, a third
        # one is kept for a connection beyond the limit.
        few = (max_files - _LEAST_FILES_OF_THE_REST) // 3
        self.most = max(1, min(limits.max_connections, max(few, (max_files - _FILES_OF_THE_REST) // 2)))
        self._max_files, self._files_wanted = max_files, 2 * limits.max_connections + _FILES_OF_THE_REST
        self.open: Collection[Any] = ()
        self.listeners: Sequence[Listener] = ()
        self.waiting: dict[Connection, float] = {}  # since when each connection has waited for its client

    def shortage(self, n_requests: int) -> str | None:
        """Returns a warning that says what to do if fewer than `n_requests` connections can be open at once;
        None if that many can."""
        if self.most >= n_requests:
            return None
        return (
            f"With {self._max_files} open files (ulimit -n) at most {self.most} connections are served; "
            f"{n_requests} requests may be spoken or wait, and the others are answered 503. Allow "
            f"{self._files_wanted} files: ulimit -n {self._files_wanted} before the start, LimitNOFILE= in "
            "systemd, --ulimit nofile= in Docker."
        )

    def make_room(self) -> bool:
        """Ends the connection that has waited longest for its client, and returns true. Returns false and
        ends none if no connection has waited for a second."""
        longest, since = next(iter(self.waiting.items()), (None, 0.0))
        if longest is None or time.monotonic() - since < _SETTLED_S:
            return False
        longest.transport.abort()
        self.waiting.pop(longest, None)
        return True


class Connection(H11Protocol, InTurn):
    """A client's HTTP connection. The app finds this object in the ASGI scope of each request: as
    `connection` in the scope's `state`."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, {**app_state, "connection": self}, _loop)
        if self.ws_protocol_class is not None:
            self.ws_protocol_class = SocketConnection
        self.is_one_too_many = False
        self.has_whole_answer = False  # whether the current request's answer is made completely
        self._others: Connections = app_state["connections"]
        self._late: asyncio.TimerHandle | None = None
        self.lost = asyncio.Event()
        self._dropped = self._is_half_closed = False
        self._is_idle = True

    @contextmanager
    def idle(self) -> Iterator[None]:
        """Counts this connection as idle while the context lasts, so that it may be closed for a new
        client."""
        self._others.waiting.setdefault(self, time.monotonic())
        try:
            yield
        finally:
            self._others.waiting.pop(self, None)

    async def sent(self) -> bool:
        """Waits until the kernel has taken all written bytes. Returns false if the connection ended before
        that."""
        await self.flow.drain()
        return not self._dropped

    async def end(self) -> None:
        """Closes the connection after the kernel has taken all written bytes, and waits until it is closed.
        Used in the middle of a body: the client gets the bytes so far, but not the end of the body."""
        self.transport.close()
        await self.lost.wait()

    def cut(self) -> None:
        """Ends the connection at once and drops all unsent bytes, also those in the kernel's buffer.
        Otherwise the kernel would keep them for minutes for a client that does not read."""
        client = self.transport.get_extra_info("socket")
        if client is not None and client.fileno() >= 0:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # paused while any byte is unsent
        n_beyond = len(self.connections) - self._others.most
        if n_beyond > 0 and not self._others.make_room():
            self.is_one_too_many = True
            if n_beyond > min(_CROWD, self._others.most):
                transport.abort()
                return
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Handles the end of the client's sending. Returns true if the connection stays open. It is closed if
        no request is open, or if a part of the request's body is missing.

        Otherwise the server cannot tell at once whether the client has left or still waits for its answer.
        Before the answer begins, the connection stays open, and `_ask` finds out. An answer that is made
        completely is still sent. If a stream has begun, the client counts as gone, and the connection is
        closed."""
        if self._is_idle or self.cycle.more_body or self._is_half_closed:
            return self._is_half_closed and not self._is_idle
        if self.cycle.response_started:
            return self.has_whole_answer
        self._is_half_closed = True
        self.loop.call_later(_ASK_S, self._ask, _ASK_S)  # most answers have begun by then
        return True

    def _ask(self, again_s: float) -> None:
        """Sends an interim answer (100 Continue) to find out whether the client is still there. Repeats this
        after `again_s` seconds, and then after pauses of up to 5 s, until the answer begins. A waiting client
        ignores the interim answer. If the client has left, its system resets the connection, and the next
        interim answer ends it. HTTP/1.0 has no interim answers: a connection of that version is ended after a
        few seconds."""
        if self.transport.is_closing() or self.cycle.response_started:
            return
        if self.conn.their_http_version == b"1.1":
            self.transport.write(_CONTINUE)
        elif again_s >= _ASK_AT_MOST_S:
            self.transport.abort()
        self.loop.call_later(again_s, self._ask, min(2 * again_s, _ASK_AT_MOST_S))

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()
        if self._is_half_closed and self._is_idle:
            self.transport.close()

    def handle_websocket_upgrade(self, event: Any) -> None:
        """Hands the socket over to the WebSocket protocol. After that, this object no longer learns whether
        bytes are unsent or the connection is lost."""
        super().handle_websocket_upgrade(event)
        self.app_state.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        self._dropped = self.flow.write_paused
        self._watch()
        super().connection_lost(exc)
        self.lost.set()
        self.app_state.clear()  # it refers to this object: no reference cycle is left to collect

    def _watch(self) -> None:
        """Notes whether the connection is idle, and whether it waits for its client. Starts or stops its time
        limit. The time runs from the connection's beginning, or from the last answer, until the next
        request's head has arrived. Until the request's body has arrived too, the connection may be closed for
        a new client."""
        is_over = self.transport.is_closing() or self.transport.get_protocol() is not self
        self._is_idle = self.cycle is None or bool(self.cycle.response_complete)
        is_idle = not is_over and self._is_idle
        if is_idle and self._late is None:
            self._late = self.loop.call_later(self._others.head_s, self._is_late)
        elif not is_idle and self._late is not None:
            self._late.cancel()
            self._late = None
        is_receiving = not is_idle and not is_over and self.cycle.more_body and not self.flow.read_paused
        if is_idle or is_receiving:
            self._others.waiting.setdefault(self, time.monotonic())
        else:
            self._others.waiting.pop(self, None)

    def _is_late(self) -> None:
        if self.conn.trailing_data[0]:  # a part of a head has arrived
            self.transport.write(_LATE)
        self.transport.close()


def raise_file_limit() -> int:
    """Raises this process's limit of open files as far as the system allows, to at most 65536. A higher limit
    stays as it is. Returns the limit that then holds; 65536 if there is no limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _MOST_FILES if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft
    return wanted
