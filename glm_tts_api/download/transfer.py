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
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

CHUNK_BYTES = 1 << 20
TIMEOUT_S = 60
ATTEMPTS = 5  # tries for a listing, or tries in a row that bring no new byte of a file
_NETWORK_ERRORS = (OSError, http.client.HTTPException)


class DownloadError(Exception):
    """A download that failed. The message is shown to the user. `exit_code` is the exit status of the
    command: 2 if there is too little room or the licence was not accepted, else 1."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True)
class RemoteFile:
    """A file as its hub lists it. Large files have a SHA-256, and small ones Git's SHA-1 of a blob. `token`
    is sent with the request."""

    path: str
    url: str
    size: int
    sha256: str | None = None
    git_sha1: str | None = None
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
    """Requests `url` from byte `offset` on and returns the open response. Its status is 206 if the server
    begins at `offset`, and 200 if the server sends the whole file. Raises urllib.error.HTTPError, OSError."""
    request = urllib.request.Request(url, headers={"User-Agent": "glm-tts-api"})
    if offset:
        request.add_header("Range", f"bytes={offset}-")
    if token:  # a redirect to the hub's storage does not get the token
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    return response


def get_bytes(url: str, *, token: str = "") -> tuple[bytes, dict[str, str]]:
    """Returns a small body and its headers, with names in lower case. Tries again after temporary errors.
    Raises DownloadError."""
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
    """Returns a JSON body and its headers, with names in lower case. Raises DownloadError."""
    body, headers = get_bytes(url, token=token)
    try:
        return json.loads(body), headers
    except ValueError:
        raise DownloadError(f"{url} did not answer with JSON: {body[:80]!r}") from None


def is_complete(file: RemoteFile, path: Path) -> bool:
    """Returns whether `path` is the complete file, by its size and checksum."""
    return path.is_file() and path.stat().st_size == file.size and checksum_problem(file, path) is None


def fetch(file: RemoteFile, path: Path) -> None:
    """Downloads `file` to `path`, and continues a partial download. An existing file at `path` is replaced.
    Raises DownloadError; a file with a wrong checksum is removed then, any other partial file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    resumed = part.exists()
    _fetch_bytes(file, part)
    problem = checksum_problem(file, part)
    if problem is not None and resumed:  # the earlier part may be of another version of the file
        part.unlink()
        _fetch_bytes(file, part)
        problem = checksum_problem(file, part)
    if problem is not None:
        part.unlink()
        raise DownloadError(f"{file.path} arrived damaged and was removed: {problem}. Try again.")
    part.replace(path)


def checksum_problem(file: RemoteFile, path: Path) -> str | None:
    """Returns how the checksum of `path` differs from the hub's; None if it is right, or if the hub has
    none."""
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
    """Downloads bytes until `part` has the file's size, and continues after a broken connection. Raises
    DownloadError after five tries in a row without a new byte."""
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
    """Makes one request for the bytes from `offset` on, and adds them to `part`. If the server sends the
    whole file instead, `part` is written from its start. Returns the error that broke the request off; None
    if there was none. Raises DownloadError for an error that another try cannot mend."""
    try:
        with open_url(file.url, offset=offset, token=file.token) as response:
            resumes = response.status == 206
            _require_size(file, response, offset if resumes else 0)
            with part.open("ab" if resumes else "wb") as stream:
                _copy(response, stream, progress)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # the file has no bytes from `offset` on: start again at 0
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
    """Sleeps after try number `attempt` without progress: 0.5 s after the first, then twice as long each
    time. Does not sleep for 0."""
    if attempt:
        time.sleep(0.25 * 2**attempt)
