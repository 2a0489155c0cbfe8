"""A connection that has become a WebSocket. Knows uvicorn; knows no messages.

uvicorn's own class has three faults. It logs each handshake with its query string, and a refused handshake
also as an error. It queues a pong for each ping, even if the client reads no pongs. It keeps any number of
empty fragments of a message.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from glm_tts_api.errors import quote

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

logger = logging.getLogger(__name__)
_faults = logging.getLogger(f"{__name__}.faults")
_faults.setLevel(logging.WARNING)
_faults.addFilter(lambda record: not record.getMessage().startswith("Invalid UTF-8"))  # a client's fault
# It takes some 5 ms to parse this many bytes as HTTP chunks of one byte, which cost most.
_TURN_BYTES = 8 * 1024
_MOST_FRAGMENTS = 4096  # of a message, which has 1 MB at most
_MOST_UNREAD_PONGS = 1000


class InTurn(asyncio.BufferedProtocol):
    """A protocol that gets at most 8 KiB at each turn of the event loop, so that a client that sends much, or
    in tiny pieces, does not delay the others. asyncio's default is 256 KiB."""

    def get_buffer(self, sizehint: int) -> bytearray:
        self._buffer = bytearray(_TURN_BYTES)
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(memoryview(self._buffer)[:nbytes]))

    def data_received(self, data: bytes) -> None:
        raise NotImplementedError


class SocketConnection(WebSocketsSansIOProtocol, InTurn):
    """A WebSocket connection that logs its handshake as one line without the query string. It is aborted if
    more than 1,000 pongs are unread, or if a message has more than 4,096 fragments."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = self.conn.logger = _faults
        self._n_unread_pongs = 0

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code != 101:  # not a handshake by RFC 6455
            path = event.path.partition("?")[0]
            logger.info("WebSocket %s refused: %d", quote(path), self.response.status_code)

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True  # the refusal is the whole answer

    def handle_ping(self) -> None:
        if self.transport.is_closing():
            return
        super().handle_ping()
        self._n_unread_pongs = 0 if self.writable.is_set() else self._n_unread_pongs + 1
        if self._n_unread_pongs > _MOST_UNREAD_PONGS:
            self.transport.abort()

    def handle_cont(self, event: Frame) -> None:
        super().handle_cont(event)
        if len(self.frames) > _MOST_FRAGMENTS:
            self.frames.clear()
            self.transport.abort()
