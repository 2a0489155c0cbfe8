"""Downloads one file so that a broken connection or a stopped program loses only the bytes that had not
arrived.

A file is written as NAME.part and renamed once its size and checksum are right. Uses only the standard
library. huggingface_hub is not used: it checks sizes alone (version 2.4 accepts a damaged file of the right
size) and knows only one of the hubs.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from glm_tts_api.errors import Failed

_CHUNK_BYTES = 1 << 20
_TIMEOUT_S = 60
_SHA1_DIGITS = 40
_FIRST_PAUSE_S = 0.5  # after a try without progress; then twice as long each time
_ATTEMPTS = 5  # tries for a listing, or tries in a row that bring no new byte of a file
_NETWORK_ERRORS = (OSError, http.client.HTTPException)


@dataclass(frozen=True)
class RemoteFile:
    """A file as its hub lists it. `checksum` is its SHA-256 in hex, or Git's SHA-1 of a blob; it may be
    empty. `token` is sent with the request."""

    path: str
    url: str
    size: int
    checksum: str = ""
    token: str = ""


class Progress:
    """Shows the progress of a download: a bar on a terminal, else a line at every tenth of the file."""

    def __init__(self, name: str, total: int, done: int) -> None:
        self._name = name
        self._total = max(total, 1)
        self._begin_bytes = done
        self._begin = self._drawn = time.monotonic()
        self._tenths = -1
        self._terminal = sys.stdout.isatty()

    def update(self, done: int) -> None:
        now = time.monotonic()
        if self._terminal and (now - self._drawn > 0.2 or done >= self._total):
            self._drawn = now
            bar = "#" * (30 * done // self._total)
            end = "\n" if done >= self._total else ""
            print(f"\r  {self._name:<44.44} [{bar:-<30}] {self._figures(done)} ", end=end, flush=True)
        elif not self._terminal and 10 * done // self._total > self._tenths:
            self._tenths = 10 * done // self._total
            print(f"  {self._name}: {self._figures(done)}", flush=True)

    def _figures(self, done: int) -> str:
        rate = (done - self._begin_bytes) / max(time.monotonic() - self._begin, 1e-3)
        left = f", {(self._total - done) / rate:.0f} s left" if rate > 0 and done < self._total else ""
        return f"{done / 1e6:.1f} of {self._total / 1e6:.1f} MB, {rate / 1e6:.1f} MB/s{left}"


def get_bytes(url: str, *, token: str = "") -> tuple[bytes, Message]:
    """Returns a small body and its headers. Tries again after temporary errors. Raises Failed."""
    for attempt in range(_ATTEMPTS):
        try:
            with _open(url, token=token) as response:
                return response.read(), response.headers
        except _NETWORK_ERRORS as error:
            if _is_final(error):
                raise Failed(f"{url}: {error}") from None
            cause = error
        if attempt < _ATTEMPTS - 1:
            time.sleep(_FIRST_PAUSE_S * 2**attempt)
    raise Failed(f"{url} cannot be reached: {cause}")


def get_json(url: str, *, token: str = "") -> tuple[Any, Message]:
    """Returns a JSON body and its headers. Raises Failed."""
    body, headers = get_bytes(url, token=token)
    try:
        return json.loads(body), headers
    except ValueError:
        raise Failed(f"{url} did not answer with JSON: {body[:80]!r}") from None


def is_complete(file: RemoteFile, path: Path) -> bool:
    """Returns whether `path` is the complete file, by its size and checksum."""
    return path.is_file() and path.stat().st_size == file.size and _checksum_problem(file, path) is None


def part_of(path: Path) -> Path:
    """Returns the path under which the file `path` lies while it is not complete."""
    return path.with_name(path.name + ".part")


def fetch(file: RemoteFile, path: Path) -> None:
    """Downloads `file` to `path`, and continues a partial download. An existing file at `path` is replaced.
    Raises Failed; a file with a wrong checksum is removed then, any other partial file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(path)
    for resumed in (part.exists(), False):
        _fetch_bytes(file, part)
        problem = _checksum_problem(file, part)
        if problem is None:
            part.replace(path)
            return
        part.unlink()
        if not resumed:  # else the earlier part may be of another version of the file
            raise Failed(f"{file.path} arrived damaged and was removed: {problem}. Try again.")


def _open(url: str, *, offset: int = 0, token: str = "") -> http.client.HTTPResponse:
    """Requests `url` from byte `offset` on and returns the open response. Its status is 206 if the server
    begins at `offset`, and 200 if the server sends the whole file. Raises urllib.error.HTTPError, OSError."""
    request = urllib.request.Request(url, headers={"User-Agent": "glm-tts-api"})
    if offset:
        request.add_header("Range", f"bytes={offset}-")
    if token:  # a redirect to the hub's storage does not get the token
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    return response


def _is_final(error: Exception) -> bool:
    """Returns whether `error` is an answer that another try cannot mend."""
    return isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code not in (416, 429)


def _checksum_problem(file: RemoteFile, path: Path) -> str | None:
    """Returns how the checksum of `path` differs from the hub's; None if it is right, or if the hub has
    none."""
    is_git = len(file.checksum) == _SHA1_DIGITS
    digest = hashlib.sha1(f"blob {file.size}\0".encode()) if is_git else hashlib.sha256()
    with path.open("rb") as stream:
        while file.checksum and (chunk := stream.read(_CHUNK_BYTES)):
            digest.update(chunk)
    if file.checksum in ("", digest.hexdigest()):
        return None
    kind = "Git's SHA-1" if is_git else "SHA-256"
    return f"{kind} is {digest.hexdigest()}, the hub says {file.checksum}"


def _fetch_bytes(file: RemoteFile, part: Path) -> None:
    """Downloads bytes until `part` has the file's size, and continues after a broken connection. Raises
    Failed after five tries in a row without a new byte."""
    part.touch()
    done, idle_attempts = part.stat().st_size, 0
    progress = Progress(file.path, file.size, done)
    while done != file.size:
        if done > file.size:
            os.truncate(part, 0)
            done = 0
        cause = _receive(file, part, done, progress)
        before, done = done, part.stat().st_size
        idle_attempts = 0 if done > before else idle_attempts + 1
        if idle_attempts == _ATTEMPTS:
            raise Failed(
                f"{file.path} stopped at {done} of {file.size} bytes ({cause or 'the line broke'}). "
                "The same command goes on from there."
            )
        if idle_attempts:
            time.sleep(_FIRST_PAUSE_S * 2 ** (idle_attempts - 1))


def _receive(file: RemoteFile, part: Path, offset: int, progress: Progress) -> Exception | None:
    """Makes one request for the bytes from `offset` on, and adds them to `part`. If the server sends the
    whole file instead, `part` is written from its start. Returns the error that broke the request off; None
    if there was none. Raises Failed for an error that another try cannot mend."""
    try:
        with _open(file.url, offset=offset, token=file.token) as response:
            begin = offset if response.status == 206 else 0
            n_bytes = begin + int(response.headers.get("Content-Length") or file.size - begin)
            if n_bytes != file.size:
                raise Failed(
                    f"{file.path}: the hub lists {file.size} bytes, but the server sends {n_bytes}. "
                    "Try again later or with another --source."
                )
            with part.open("ab" if begin else "wb") as stream:
                while chunk := response.read(_CHUNK_BYTES):
                    stream.write(chunk)
                    progress.update(stream.tell())
    except _NETWORK_ERRORS as error:
        if _is_final(error):
            raise Failed(f"{file.path}: {error} ({file.url})") from None
        if isinstance(error, urllib.error.HTTPError) and error.code == 416:
            os.truncate(part, 0)  # the file has no bytes from `offset` on: start again at 0
        return error
    return None
