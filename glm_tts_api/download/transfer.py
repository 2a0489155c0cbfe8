"""Fetches one file so that a broken line or a stopped program costs only what had not arrived.

A file grows as NAME.part and gets its name once its size and checksum are right. Standard library only:
huggingface_hub looks at sizes alone (2.4 takes a damaged file of the right size), and knows one of the hubs.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

CHUNK_BYTES = 1 << 20
TIMEOUT_S = 60
ATTEMPTS = 5  # for a listing, or for a file without a single new byte
_NETWORK_ERRORS = (OSError, http.client.HTTPException)


class DownloadError(Exception):
    """The message says what went wrong and what to do. `exit_code` 2: nothing was tried."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True)
class RemoteFile:
    """A file as its hub describes it. Large ones have a SHA-256, small ones Git's SHA-1 of a blob."""

    path: str
    url: str
    size: int
    sha256: str | None = None
    git_sha1: str | None = None
    token: str = ""


class Progress:
    """A bar on a terminal; else a line at every tenth of the file."""

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
            filled = 30 * done // self._total
            bar = "#" * filled + "-" * (30 - filled)
            print(f"\r  {self._name:<44.44} [{bar}] {self._figures(done)} ", end="", flush=True)
            if done >= self._total:
                print()
        elif not self._terminal and 10 * done // self._total > self._tenths:
            self._tenths = 10 * done // self._total
            print(f"  {self._name}: {self._figures(done)}", flush=True)

    def _figures(self, done: int) -> str:
        rate = (done - self._begin_bytes) / max(time.monotonic() - self._begin, 1e-3)
        left = f", {(self._total - done) / rate:.0f} s left" if rate > 0 and done < self._total else ""
        return f"{done / 1e6:.1f} of {self._total / 1e6:.1f} MB, {rate / 1e6:.1f} MB/s{left}"


def open_url(url: str, *, offset: int = 0, token: str = "") -> http.client.HTTPResponse:
    """Asks for a URL from byte `offset` on. Raises urllib.error.HTTPError, OSError."""
    request = urllib.request.Request(url, headers={"User-Agent": "glm-tts-api"})
    if offset:
        request.add_header("Range", f"bytes={offset}-")
    if token:  # not for the storage that the hub redirects to
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    return response


def get_bytes(url: str, *, token: str = "") -> tuple[bytes, dict[str, str]]:
    """A small body and its headers (names in lower case). Raises DownloadError."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with open_url(url, token=token) as response:
                return response.read(), {name.lower(): value for name, value in response.headers.items()}
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code != 429:
                raise DownloadError(f"{url}: HTTP {error.code} {error.reason}") from None
            cause: Exception = error
        except _NETWORK_ERRORS as error:
            cause = error
        if attempt < ATTEMPTS:
            _pause(attempt)
    raise DownloadError(f"{url} cannot be reached: {cause}")


def get_json(url: str, *, token: str = "") -> tuple[Any, dict[str, str]]:
    """A JSON body and its headers. Raises DownloadError."""
    body, headers = get_bytes(url, token=token)
    try:
        return json.loads(body), headers
    except ValueError:
        raise DownloadError(f"{url} did not answer with JSON: {body[:80]!r}") from None


def is_complete(file: RemoteFile, path: Path) -> bool:
    """Whether `path` is the whole file, by its size and checksum."""
    return path.is_file() and path.stat().st_size == file.size and checksum_problem(file, path) is None


def fetch(file: RemoteFile, path: Path) -> None:
    """Brings `file` to `path`, going on with what is there of it. Raises DownloadError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    resumed = part.exists()
    _fetch_bytes(file, part)
    problem = checksum_problem(file, part)
    if problem is not None and resumed:  # the earlier half may have been of another version
        part.unlink()
        _fetch_bytes(file, part)
        problem = checksum_problem(file, part)
    if problem is not None:
        part.unlink()
        raise DownloadError(f"{file.path} arrived damaged and was removed: {problem}. Try again.")
    part.replace(path)


def checksum_problem(file: RemoteFile, path: Path) -> str | None:
    """How the content differs from what the hub says, or None. Files without a checksum pass."""
    if file.sha256 is not None:
        digest, wanted, kind = hashlib.sha256(), file.sha256, "SHA-256"
    elif file.git_sha1 is not None:
        digest, wanted, kind = hashlib.sha1(f"blob {file.size}\0".encode()), file.git_sha1, "Git's SHA-1"
    else:
        return None
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    found = digest.hexdigest()
    return None if found == wanted else f"{kind} is {found}, the hub says {wanted}"


def _fetch_bytes(file: RemoteFile, part: Path) -> None:
    """Lets `part` grow to the file's size; after a break it goes on from there."""
    idle_attempts = 0
    done = part.stat().st_size if part.exists() else 0
    progress = Progress(file.path, file.size, done)
    while done != file.size or not part.exists():
        if done > file.size:
            part.unlink()
            done = 0
        cause = _receive(file, part, done, progress)
        before, done = done, part.stat().st_size if part.exists() else 0
        if cause is None and done == file.size:
            break
        idle_attempts = 0 if done > before else idle_attempts + 1
        if idle_attempts == ATTEMPTS:
            raise DownloadError(
                f"{file.path} stopped at {done} of {file.size} bytes ({cause or 'the line broke'}). "
                "The same command goes on from there."
            )
        _pause(idle_attempts)


def _receive(file: RemoteFile, part: Path, offset: int, progress: Progress) -> Exception | None:
    """One request. Returns the error that broke it; raises DownloadError for an error that another try will
    not mend."""
    try:
        with open_url(file.url, offset=offset, token=file.token) as response:
            resumes = response.status == 206
            _require_size(file, response, offset if resumes else 0)
            with part.open("ab" if resumes else "wb") as stream:
                _copy(response, stream, progress)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # there is nothing behind `offset`: begin anew
            part.unlink(missing_ok=True)
        elif error.code < 500 and error.code != 429:
            raise DownloadError(f"{file.path}: HTTP {error.code} {error.reason} ({file.url})") from None
        return error
    except _NETWORK_ERRORS as error:
        return error
    return None


def _require_size(file: RemoteFile, response: http.client.HTTPResponse, offset: int) -> None:
    length = response.headers.get("Content-Length")
    if length is not None and offset + int(length) != file.size:
        raise DownloadError(
            f"{file.path}: the hub lists {file.size} bytes, but the server sends {offset + int(length)}. "
            "Try again later or with another --source."
        )


def _copy(response: http.client.HTTPResponse, stream: BinaryIO, progress: Progress) -> None:
    while chunk := response.read(CHUNK_BYTES):
        stream.write(chunk)
        progress.update(stream.tell())


def _pause(attempt: int) -> None:
    """Waits 0.5 s, then twice as long each time; nothing where there was progress."""
    if attempt:
        time.sleep(0.25 * 2**attempt)
