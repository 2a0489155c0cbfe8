"""The way out of an answer: in blocks, each in its time, and done only when the kernel has the last of it.

A client that does not read would otherwise keep its answer in memory for ever, and a server that stops would
take what lies in a buffer for delivered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from glm_tts_api.errors import ClientGone
from glm_tts_api.http.connections import Connection, ConnectionLimits

_BLOCK_BYTES = 64 * 1024
_STANDS_STILL_S = 1.0


class Unsent:
    """The bodies that are being sent. Beyond `max_bytes` together, those whose clients read nothing go, the
    one that has stood still longest first."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._held: dict[Answer, int] = {}

    @contextmanager
    def holding(self, answer: Answer, n_bytes: int) -> Iterator[None]:
        self._held[answer] = n_bytes
        self._make_room()
        try:
            yield
        finally:
            self._held.pop(answer, None)

    def _make_room(self) -> None:
        while sum(self._held.values()) > self._max_bytes:
            longest = max(self._held, key=lambda answer: answer.stands_still_s)
            if longest.stands_still_s < _STANDS_STILL_S:
                return
            del self._held[longest]
            longest.drop()


class Answer:
    """Sends an answer with its X-Request-Id. `status` is 0 until it has begun; `sent`: all of it is;
    `closes`: whether the connection ends with it."""

    def __init__(
        self,
        send: Send,
        *,
        request_id: str,
        connection: Connection | None,
        closes: Callable[[], bool],
        limits: ConnectionLimits,
        unsent: Unsent,
    ) -> None:
        self.status = 0
        self.sent = False
        self._send = send
        self._request_id = request_id
        self._connection = connection
        self._closes = closes
        self._limits = limits
        self._unsent = unsent
        self._moved_at = time.monotonic()

    @property
    def started(self) -> bool:
        return self.status > 0

    @property
    def stands_still_s(self) -> float:
        return time.monotonic() - self._moved_at

    async def __call__(self, message: Message) -> None:
        """Raises ClientGone when the client has left, or has read nothing for too long."""
        if message["type"] == "http.response.body":
            await self._send_body(message.get("body", b""), more=message.get("more_body", False))
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self._request_id
            if self._closes():
                headers["Connection"] = "close"
        await self._send(message)

    async def cut(self) -> None:
        """Ends the connection, whatever is unsent."""
        self.drop()
        await asyncio.sleep(0)  # uvicorn hears of it before its app returns

    def drop(self) -> None:
        """The same from outside: the sending task finds out by itself."""
        if self._connection is not None:
            self._connection.cut()

    async def _send_body(self, body: bytes, *, more: bool) -> None:
        if self._connection is not None:
            self._connection.has_whole_answer = not more
        with self._unsent.holding(self, len(body)):
            for start in range(0, max(1, len(body)), _BLOCK_BYTES):
                if start:
                    await asyncio.sleep(0)  # others have their turn, and the client's leaving is heard
                block = body[start : start + _BLOCK_BYTES]
                is_last = start + _BLOCK_BYTES >= len(body) and not more
                self._moved_at = time.monotonic()
                await self._send_block(
                    {"type": "http.response.body", "body": block, "more_body": not is_last}
                )
        self.sent = not more

    async def _send_block(self, message: Message) -> None:
        connection = self._connection
        if connection is not None and connection.lost:
            raise ClientGone
        try:
            async with asyncio.timeout(self._limits.send_s):
                await self._send(message)
                if connection is not None and not await connection.sent():
                    raise ClientGone
        except TimeoutError:
            await self.cut()
            raise ClientGone from None
