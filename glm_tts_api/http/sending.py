"""Sends an answer in blocks of 64 KiB, each within a time limit, and waits until the kernel has taken them.

Without this, a client that does not read would keep its answer in memory for ever, and a server that stops
would take the bytes in a buffer for delivered.
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
    """Counts the bytes of all answers that are being sent. When they exceed `max_bytes` together, cuts the
    answers whose clients have read nothing for 1 s, beginning with the one that stopped first."""

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
    """The ASGI `send` callable of one request. Adds the X-Request-Id header to the answer. `status` is 0
    until the answer has begun. `sent` says whether all of the answer has been sent. `closes` returns whether
    the connection is to be closed after the answer."""

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
        """Sends an ASGI message of the answer. For a part of the body, returns once the kernel has taken it.
        Raises ClientGone if the client has left, or if it has read nothing for `limits.send_s` seconds."""
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
        """Ends the connection at once, also if bytes of the answer are unsent."""
        self.drop()
        await asyncio.sleep(0)  # uvicorn notices the end before its app returns

    def drop(self) -> None:
        """Ends the connection at once. Any task may call this, not only the task that sends the answer. The
        sending task then gets ClientGone."""
        if self._connection is not None:
            self._connection.cut()

    async def _send_body(self, body: bytes, *, more: bool) -> None:
        if self._connection is not None:
            self._connection.has_whole_answer = not more
        with self._unsent.holding(self, len(body)):
            for start in range(0, max(1, len(body)), _BLOCK_BYTES):
                if start:
                    await asyncio.sleep(0)  # other tasks have their turn, and a disconnect is noticed
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
