"""ASGI middleware that limits how large a request may be and how long it may take to arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glm_tts_api.errors import BodyTooLarge, DeadlineExceeded, QueueFull, ServiceError
from glm_tts_api.http.body import FORM_WITH_FILES, is_json, media_type_of, text_too_large
from glm_tts_api.http.connections import Connection, ConnectionLimits, Held


@dataclass
class UploadLimit:
    """Refuses request bodies that are too large or too slow.

    The limit is `max_bytes` for a body that may hold a file: a multipart form, or JSON on one of the paths
    `files_in_json`. It is `max_text_bytes` for any other body. A body is refused by its Content-Length before
    it arrives, else while it arrives. It must arrive within `timeout_s` seconds, without a pause of
    `limits.body_s` seconds. All arriving bodies together may hold `limits.arriving_bytes` in memory. Raises
    BodyTooLarge, DeadlineExceeded, QueueFull."""

    app: ASGIApp
    max_bytes: int
    max_text_bytes: int
    timeout_s: float
    limits: ConnectionLimits
    files_in_json: Collection[str]

    def __post_init__(self) -> None:
        self.max_text_bytes = min(self.max_bytes, self.max_text_bytes)
        self._arriving = Held(self.limits.arriving_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        media_type = media_type_of(headers)
        has_parts = media_type == FORM_WITH_FILES
        is_large_json = path in self.files_in_json and is_json(media_type)
        max_bytes = self.max_bytes if has_parts or is_large_json else self.max_text_bytes
        declared = headers.get("content-length", "")
        if declared.isdigit() and int(declared) > max_bytes:
            raise self._too_large(max_bytes)
        n_received, is_whole = 0, False
        connection: Connection | None = scope["state"].get("connection")

        async def counted() -> Message:
            nonlocal n_received, is_whole
            if is_whole:  # the body was read: the next message is the client's disconnect
                self._arriving.hold(connection, 0)
                return await receive()
            message = await self._receive_in_time(receive, scope["state"]["arrived_at"])
            is_whole = not message.get("more_body", False)
            n_received += len(message.get("body", b""))
            if n_received > max_bytes:
                raise self._too_large(max_bytes)
            # The rest of a form is a file, which lies on the disk.
            n_held = min(n_received, self.max_text_bytes) if has_parts else n_received
            if is_whole and not is_large_json:
                self._arriving.hold(connection, 0)
            elif not self._arriving.hold(connection, n_held, is_whole=is_whole):
                raise QueueFull("The server is receiving as much as it has room for. Try again soon.")
            return message

        try:
            await self.app(scope, counted, send)
        finally:
            self._arriving.hold(connection, 0)

    async def _receive_in_time(self, receive: Receive, arrived_at: float) -> Message:
        now, due = asyncio.get_running_loop().time(), arrived_at + self.timeout_s
        try:
            async with asyncio.timeout_at(min(due, now + self.limits.body_s)):
                return await receive()
        except TimeoutError:
            if due < now + self.limits.body_s:
                message = f"The request was not there within {self.timeout_s:g} s (LONG_TEXT_TIMEOUT)."
            else:
                message = (
                    f"Nothing of the request came for {self.limits.body_s:g} s; send it without a pause."
                )
            raise DeadlineExceeded(message) from None

    def _too_large(self, max_bytes: int) -> ServiceError:
        if max_bytes < self.max_bytes:
            return text_too_large(max_bytes)
        return BodyTooLarge(
            f"The request's body is larger than {max_bytes / 2**20:g} MB (MAX_UPLOAD_MB): send a smaller one."
        )
