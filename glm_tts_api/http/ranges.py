"""Parts of an answer, of bytes or of a file: Range, If-Range and If-None-Match (RFC 9110, 13 and 14).

A browser seeks with them, and Safari plays nothing without. One range is answered with its part; several,
which no player asks for, with the whole.
"""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from glm_tts_api.errors import RangeNotSatisfiable

_BLOCK_BYTES = 2**20
_RANGE = re.compile(r"\s*bytes\s*=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*", re.IGNORECASE)


async def ranged(
    request: Request,
    content: bytes | Path,
    *,
    media_type: str,
    etag: str,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """`content`, or its part that a GET asks for; 304 where the client has it already. HEAD gives the headers
    of the whole.

    `etag`, without quotes, names the bytes: other bytes need another one. A file that is replaced while it is
    sent is sent as it was. Raises RangeNotSatisfiable, and OSError where a file cannot be opened."""
    headers = {**(headers or {}), "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
    if _has_it(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    file = io.BytesIO(content) if isinstance(content, bytes) else await asyncio.to_thread(content.open, "rb")
    n_bytes = file.seek(0, io.SEEK_END)
    try:
        part = _asked_part(request, n_bytes, etag)
    except RangeNotSatisfiable:
        file.close()
        raise
    if part is None:
        return _Part(file, range(n_bytes), 200, headers, media_type)
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{n_bytes}"
    return _Part(file, part, 206, headers, media_type)


class _Part(Response):
    """The bytes `part` of a file, which is closed when they are sent."""

    def __init__(
        self, file: BinaryIO, part: range, status: int, headers: Mapping[str, str], media_type: str
    ) -> None:
        super().__init__(None, status, {**headers, "Content-Length": str(len(part))}, media_type)
        self._file, self._part = file, part

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._file as file:
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            file.seek(self._part.start)
            left = 0 if scope["method"] == "HEAD" else len(self._part)
            while left:
                block = await asyncio.to_thread(file.read, min(left, _BLOCK_BYTES))
                if not block:
                    raise EOFError("The file has become shorter while it was sent.")
                left -= len(block)
                await send({"type": "http.response.body", "body": block, "more_body": True})
            await send({"type": "http.response.body"})


def _has_it(if_none_match: str, etag: str) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return not tags.isdisjoint((f'"{etag}"', "*"))


def _asked_part(request: Request, n_bytes: int, etag: str) -> range | None:
    """The bytes that the request's Range names; None for all of them, where it names none, is not understood
    or is meant for other bytes (If-Range)."""
    found = _RANGE.fullmatch(request.headers.get("range", ""))
    if (
        request.method != "GET"
        or found is None
        or request.headers.get("if-range", f'"{etag}"') != f'"{etag}"'
    ):
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if first and last and int(last) < int(first):
        return None
    start = int(first) if first else max(0, n_bytes - int(last))
    stop = min(n_bytes, int(last) + 1) if first and last else n_bytes
    if start >= stop:
        raise RangeNotSatisfiable(n_bytes)
    return range(start, stop)
