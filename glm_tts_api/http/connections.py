"""The connections of the server: how many there may be, and how long each may keep the server waiting.

uvicorn waits for ever for a request that has not begun, and for a client that does not read its answer; with
its --limit-concurrency, idle connections that fill the limit make every request a 503, health's too. So the
server is started with `--http glm_tts_api.http.connections:Connection`. Knows sockets and uvicorn; knows no
routes.
"""

from __future__ import annotations

import asyncio
import logging
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
from glm_tts_api.http.socket_connection import SocketConnection
from glm_tts_api.http.turns import InTurn

logger = logging.getLogger(__name__)
_MOST_FILES = 65536
_FILES_OF_THE_REST = 256  # of the model, of voices, of a burst that is accepted before it can be counted
_LEAST_FILES_OF_THE_REST = 64  # without the burst: what cannot be accepted yet is accepted later
_CROWD = 128  # connections beyond the limit that are told so; more are dropped
_SETTLED_S = 1.0  # a connection that waits for longer than this gives way to a new one
_LINGER_NOT = struct.pack("ii", 1, 0)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_ASK_S, _ASK_AT_MOST_S = 0.1, 5.0  # each time twice as long after the time before
_LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """`head_s`: until a request's head is there; `body_s`, `send_s`: in which nothing of a request's body, or
    of an answer's, moves; `unsent_bytes`, `arriving_bytes`: of all answers, and of all bodies that
    arrive, together, beyond which those that stand still go."""

    send_s: float
    max_connections: int = 2048
    head_s: float = 20.0
    body_s: float = 60.0
    unsent_bytes: int = 256 * 2**20
    arriving_bytes: int = 256 * 2**20


class Connections:
    """The connections that wait for their client's request, or for the rest of it. A new connection may take
    the place of the one that has waited longest."""

    def __init__(self, limits: ConnectionLimits, *, max_files: int) -> None:
        self.head_s = limits.head_s
        # Each may need a second file, for the recording that it uploads; where files are few, a third is for
        # one of the crowd.
        few = (max_files - _LEAST_FILES_OF_THE_REST) // 3
        self.most = max(1, min(limits.max_connections, max(few, (max_files - _FILES_OF_THE_REST) // 2)))
        self._max_files, self._files_wanted = max_files, 2 * limits.max_connections + _FILES_OF_THE_REST
        self.open: Collection[Any] = ()
        self._listeners: Sequence[Listener] = ()
        self._waiting: dict[Connection, float] = {}

    def shortage(self, n_requests: int) -> str | None:
        """A warning, with its remedy, where fewer connections than requests can be open; None where all
        fit."""
        if self.most >= n_requests:
            return None
        return (
            f"With {self._max_files} open files (ulimit -n) at most {self.most} connections are served; "
            f"{n_requests} requests may be spoken or wait, and the others are answered 503. Allow "
            f"{self._files_wanted} files: ulimit -n {self._files_wanted} before the start, LimitNOFILE= in "
            "systemd, --ulimit nofile= in Docker."
        )

    def come_in_by(self, listeners: Sequence[Listener], connections: Collection[Any]) -> None:
        """Tells by which listeners they come, and where the server keeps those that are open."""
        self._listeners, self.open = listeners, connections

    @property
    def are_taken(self) -> bool:
        return bool(self._listeners)

    def take_no_more(self) -> None:
        for listener in self._listeners:
            listener.close()

    def waits(self, connection: Connection) -> None:
        self._waiting.setdefault(connection, time.monotonic())

    def waits_no_more(self, connection: Connection) -> None:
        self._waiting.pop(connection, None)

    def make_room(self) -> bool:
        """Ends the connection that has waited longest; false if each is new or at work."""
        longest, since = next(iter(self._waiting.items()), (None, 0.0))
        if longest is None or time.monotonic() - since < _SETTLED_S:
            return False
        longest.transport.abort()
        self.waits_no_more(longest)
        return True


class Connection(H11Protocol, InTurn):
    """A client's connection. In the `state` of each of its requests, as `connection`."""

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
        self.has_whole_answer = False  # to the request that it has now: all of it is made
        self._others: Connections = app_state["connections"]
        self._late: asyncio.TimerHandle | None = None
        self._lost = asyncio.Event()
        self._dropped = self._is_half_closed = False

    @property
    def lost(self) -> bool:
        return self._lost.is_set()

    @contextmanager
    def resting(self) -> Iterator[None]:
        """While it lasts, this connection gives way where there are too many."""
        self._others.waits(self)
        try:
            yield
        finally:
            self._others.waits_no_more(self)

    async def sent(self) -> bool:
        """Waits until the kernel has all that was written; false if the connection ended before."""
        await self.flow.drain()
        return not self._dropped

    async def end(self) -> None:
        """Ends the connection once the kernel has all that was written: in the middle of a body, whose client
        then has what there was of it, and no end."""
        self.transport.close()
        await self._lost.wait()

    def cut(self) -> None:
        """Ends the connection at once, whatever is unsent; also what the kernel holds, which a client that
        does not read would keep there for minutes."""
        client = self.transport.get_extra_info("socket")
        if client is not None and client.fileno() >= 0:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # paused means: something is unsent
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
        """A client that ends its sending alone still waits for its answer; from one that leaves, the same
        comes. Until the answer begins the client is asked; a stream that has begun is taken for left."""
        if self._is_at_rest or self.cycle.more_body or self._is_half_closed:
            return self._is_half_closed and not self._is_at_rest
        if self.cycle.response_started:
            return self.has_whole_answer
        self._is_half_closed = True
        self.loop.call_later(_ASK_S, self._ask, _ASK_S)  # most answers have begun by then
        return True

    def _ask(self, again_s: float) -> None:
        """Sends an interim answer, which means nothing to a client that is there. The system of one that has
        left resets the connection, and so the next ends it. HTTP/1.0 has none: such a client has a while."""
        if self.transport.is_closing() or self.cycle.response_started:
            return
        if self.conn.their_http_version == b"1.1":
            self.transport.write(_CONTINUE)
        elif again_s >= _ASK_AT_MOST_S:
            self.transport.abort()
        self.loop.call_later(again_s, self._ask, min(2 * again_s, _ASK_AT_MOST_S))

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._is_half_closed and self._is_at_rest:
            self.transport.close()
        self._watch()

    def handle_websocket_upgrade(self, event: Any) -> None:
        """From here on another protocol owns the socket; this one hears no more of lost or unsent bytes."""
        super().handle_websocket_upgrade(event)
        self.app_state.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        self._dropped = self.flow.write_paused
        self._stop_watching()
        super().connection_lost(exc)
        self._lost.set()
        self.app_state.clear()  # which has this in it: no work for the garbage collector

    @property
    def _is_at_rest(self) -> bool:
        return self.cycle is None or bool(self.cycle.response_complete)

    def _watch(self) -> None:
        """Decides whether the connection waits for its client. Time runs from the connection, or from the
        last answer, until the next request's head is there; until its body is there too, the connection gives
        way where there are too many."""
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            self._stop_watching()
            return
        at_rest = self._is_at_rest
        if at_rest and self._late is None:
            self._late = self.loop.call_later(self._others.head_s, self._is_late)
        elif not at_rest:
            self._stop_clock()
        if at_rest or (self.cycle.more_body and not self.flow.read_paused):
            self._others.waits(self)
        else:
            self._others.waits_no_more(self)

    def _stop_watching(self) -> None:
        self._others.waits_no_more(self)
        self._stop_clock()

    def _stop_clock(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _is_late(self) -> None:
        if self.conn.trailing_data[0]:  # a head that did not end
            self.transport.write(_LATE)
        self.transport.close()


def raise_file_limit() -> int:
    """Raises this process's limit of open files as far as it may, up to a number that is plenty; returns the
    limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _MOST_FILES if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft
    return wanted
