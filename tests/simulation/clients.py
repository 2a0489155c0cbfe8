"""Clients of the app: they call it as uvicorn does, in virtual time. Some read slowly, and some leave."""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class Call:
    """A request and what its client saw. `pace_s` is the client's pause after each piece of the answer; the
    client leaves after `leaves_s`. `ends` counts how often the answer ended. `is_unheard` says that the
    recogniser hung meanwhile, or died twice."""

    method: str
    path: str
    fields: dict[str, Any] = field(default_factory=dict)
    key: str = ""
    pace_s: float = 0.0
    leaves_s: float = math.inf
    begun_at: float = 0.0
    ended_at: float = math.inf
    status: int = 0
    body: bytearray = field(default_factory=bytearray)
    ends: int = 0
    has_left: bool = False
    error: BaseException | None = None
    health_before: str = ""
    health_after: str = ""
    is_unheard: bool = False

    @property
    def code(self) -> str:
        """The code of an error's body; empty for any other answer."""
        if self.status < 400:
            return ""
        try:
            return str(json.loads(bytes(self.body)).get("code", ""))
        except ValueError:
            return "no json"

    @property
    def is_whole(self) -> bool:
        return self.status == 200 and self.ends == 1

    async def run(self, app: Any) -> None:
        loop = asyncio.get_running_loop()
        self.begun_at = loop.time()
        self._left = asyncio.Event()
        body = json.dumps(self.fields).encode() if self.fields else b""
        self._unread = [{"type": "http.request", "body": body, "more_body": False}]
        leaving = loop.call_later(self.leaves_s, self._leave) if self.leaves_s < math.inf else None
        try:
            await app(self._scope(body), self._receive, self._send)
        except Exception as error:  # uvicorn cuts the connection
            self.error = error
        self.ended_at = loop.time()
        if leaving is not None:
            leaving.cancel()

    def _scope(self, body: bytes) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        headers = [(b"host", b"localhost"), (b"content-length", str(len(body)).encode())]
        headers += [(b"content-type", b"application/json")] if body else []
        headers += [(b"authorization", f"Bearer {self.key}".encode())] if self.key else []
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 40000),
            "server": ("localhost", 8049),
            "state": {},
        }

    async def _receive(self) -> dict[str, Any]:
        if self._unread:
            return self._unread.pop()
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if self.has_left:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        self.body += message.get("body", b"")
        self.ends += not message.get("more_body", False)
        if self.pace_s and message.get("more_body"):
            await asyncio.sleep(self.pace_s)

    def _leave(self) -> None:
        self.has_left = True
        self._left.set()
