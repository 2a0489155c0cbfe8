"""Answers requests for a part of some bytes or of a file: the headers Range, If-Range and If-None-Match
(RFC 9110, 13 and 14).

Browsers seek in audio by such requests, and Safari plays no audio without them. A request for one range gets
that part. A request for several ranges, which no player sends, gets the whole.
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
    """Makes the answer to a request for `content` (bytes, or a file's path). A GET with a Range header gets
    that part, with status 206; else it gets the whole. If the client already has `content` (If-None-Match),
    the status is 304. HEAD gets the headers of the whole.

    `etag`, without quotes, identifies the bytes: different bytes need a different `etag`. If the file is
    replaced while it is sent, the old bytes are sent. Raises RangeNotSatisfiable, and OSError if the file
    cannot be opened."""
    headers = {**(headers or {}), "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
    known = request.headers.get("if-none-match", "").split(",")
    if not {tag.strip().removeprefix("W/") for tag in known}.isdisjoint((f'"{etag}"', "*")):
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
    """An answer with the bytes `part` of `file`; without them for HEAD. The file is closed after the answer.
    Raises EOFError if the file has become shorter meanwhile."""

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


def _asked_part(request: Request, n_bytes: int, etag: str) -> range | None:
    """Returns the byte range that the request's Range header asks for, out of `n_bytes`. Returns None, which
    means the whole, for a request that is not GET, that has no Range header of one valid range, or whose
    If-Range names another etag. Raises RangeNotSatisfiable."""
    found = _RANGE.fullmatch(request.headers.get("range", ""))
    is_current = request.headers.get("if-range", f'"{etag}"') == f'"{etag}"'
    if request.method != "GET" or found is None or not is_current:
        return None
    first, last = found.groups()
    if not (first or last) or (first and last and int(last) < int(first)):
        return None
    start = int(first) if first else max(0, n_bytes - int(last))
    stop = min(n_bytes, int(last) + 1) if first and last else n_bytes
    if start >= stop:
        raise RangeNotSatisfiable(n_bytes)
    return range(start, stop)
