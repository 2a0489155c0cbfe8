"""The client that the commands use for a server's HTTP API. An error answer is raised as Failed with the
server's message."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any, Self

import httpx

from glm_tts_api.errors import Failed
from glm_tts_api.service.output import say

_CONNECT_S = 10.0
_ANSWER_S = 3600.0  # longer than any deadline, since the server itself ends a request that takes too long
_PATIENCE_S = 600.0  # how long a command asks again while the server is full or loads its model
_AGAIN = (429, 503)
_HERE = ("127.0.0.1", "localhost", "::1")
_LONG = " Or put it into a file: glm-tts book FILE.txt -o FOLDER takes long texts, and goes on after a stop."
_HINTS = {
    "unauthorized": " Give it with --key, or in GLM_TTS_API_KEY.",
    "text_too_long": _LONG,
    "deadline_passed": _LONG,
    "voice_exists": " At the command line: glm-tts voices remove NAME, then add it again.",
}

Fields = Mapping[str, str]
Files = Mapping[str, tuple[str, bytes]]


def client_options(url: str, key: str) -> dict[str, Any]:
    """Returns the arguments for an httpx client of the server at `url` with the API key `key`. Raises Failed
    for an address that is no HTTP URL."""
    try:
        host, scheme = httpx.URL(url).host, httpx.URL(url).scheme
    except (httpx.InvalidURL, ValueError) as error:
        raise Failed(f"'{url}' is no address of a server: {error}") from None
    if scheme not in ("http", "https"):
        raise Failed(f"'{url}' is no address of a server: it begins with http:// or https://.")
    return {
        "base_url": url,
        "headers": {b"X-API-Key": key.encode()} if key else {},
        "timeout": httpx.Timeout(_ANSWER_S, connect=_CONNECT_S),
        "trust_env": host not in _HERE,  # for a server on this machine no proxy is used
        "follow_redirects": True,
    }


class Api:
    """A context manager for a client of the server at `url`. `key` is an API key; empty for none.
    `require_server` raises Failed if the server is known to have ended. The attribute `options` has the
    arguments for other httpx clients of this server."""

    def __init__(self, url: str, key: str, require_server: Callable[[], None] = lambda: None) -> None:
        self.require_server = require_server
        self.url = url if "://" in url else f"http://{url}"
        self.options = client_options(self.url, key)
        self._client = httpx.Client(**self.options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str) -> dict[str, Any]:
        """Returns the JSON object at `path`. Raises Failed."""
        return json_of(self._checked("GET", path))

    def read(self, path: str) -> bytes:
        return self._checked("GET", path).content

    def post(self, path: str, fields: Fields, files: Files | None = None) -> dict[str, Any]:
        return json_of(self._checked("POST", path, data=fields, files=files))

    def delete(self, path: str) -> dict[str, Any]:
        return json_of(self._checked("DELETE", path))

    def require_voice(self, name: str) -> None:
        """Raises Failed if the server has no voice of this name."""
        with self._said():
            response = self._client.head("/api/v1/tts", params={"input_text": "a", "index": name})
        if response.status_code == 404:
            raise Failed(f"The server has no voice '{name}'; glm-tts voices list shows those that it has.")

    def health(self) -> dict[str, Any]:
        """Returns the server's health, also if the server cannot speak. Empty if no server answers."""
        try:
            return json_of(self._client.get("/api/v1/health", timeout=_CONNECT_S))
        except httpx.HTTPError:
            return {}

    def speak(self, fields: Fields, files: Files | None = None, *, request_id: str | None = None) -> bytes:
        """Has the server speak the request `fields` with `files`, and returns the whole audio. If `fields`
        has `verify`, prints the recogniser's verdict on stderr. Raises Failed."""
        with self._spoken(fields, files, request_id) as response:
            audio = response.read()
        if verdict := response.headers.get("X-Verified"):
            doubts = response.headers.get("X-Warnings", "").encode().decode("unicode_escape")
            say_aside(f"VERIFIED: {verdict}. {doubts}".rstrip())
        return audio

    @contextmanager
    def stream(self, fields: Fields, files: Files | None = None) -> Iterator[Iterator[bytes]]:
        """Has the server speak a request as a stream. Yields an iterator over the pieces of audio, which come
        while they are made. Raises Failed."""
        with self._spoken({**fields, "stream": "true"}, files, None) as response:
            yield response.iter_bytes()

    @contextmanager
    def _spoken(
        self, fields: Fields, files: Files | None, request_id: str | None
    ) -> Iterator[httpx.Response]:
        headers = {"X-Request-Id": request_id} if request_id else {}

        def begin() -> httpx.Response:
            request = self._client.build_request(
                "POST", "/api/v1/tts", data=dict(fields), files=parts_of(files), headers=headers
            )
            return self._client.send(request, stream=True)

        with self._said():
            response = _once_there_is_room(begin)
            try:
                if response.is_error:
                    response.read()
                    raise Failed(refusal_of(response))
                yield response
            finally:
                response.close()

    def _checked(
        self, method: str, path: str, data: Fields | None = None, files: Files | None = None
    ) -> httpx.Response:
        with self._said():
            response = self._client.request(method, path, data=data, files=parts_of(files))
        if response.is_error:
            raise Failed(refusal_of(response))
        return response

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Turns the errors of a connection inside the `with` block into Failed."""
        try:
            yield
        except httpx.ConnectError as error:
            raise Failed(
                f"No server answers at {self.url} ({reason_of(error)}): start it, or give another --url."
            ) from None
        except httpx.HTTPError as error:
            raise Failed(f"The connection to {self.url} broke ({reason_of(error)}): try again.") from None


def _once_there_is_room(begin: Callable[[], httpx.Response]) -> httpx.Response:
    """Calls `begin` and returns its response. While the server is busy and says when to try again, waits and
    calls `begin` again. After ten minutes the answer of the busy server is returned. Prints one line about
    the wait on stderr."""
    until = monotonic() + _PATIENCE_S
    told = False
    while True:
        response = begin()
        wait_s = retry_after(response)
        if wait_s is None or monotonic() + wait_s > until:
            return response
        response.read()
        response.close()
        if not told:
            told = True
            say_aside(f"{refusal_of(response)} Trying again.")
        sleep(wait_s)


def retry_after(response: httpx.Response) -> float | None:
    """Returns after how many seconds the server wants to be asked again. Returns None if the status is not
    429 or 503, or if the answer has no valid Retry-After header."""
    if response.status_code not in _AGAIN:
        return None
    try:
        wait_s = float(response.headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return max(0.1, wait_s) if math.isfinite(wait_s) else None


def refusal_of(response: httpx.Response) -> str:
    """Returns the message of an error answer, with a hint for users of the command line."""
    answer = json_of(response)
    message = answer.get("message") or f"{response.url} answers HTTP {response.status_code}."
    return f"{message}{_HINTS.get(str(answer.get('code')), '')}"


def json_of(response: httpx.Response) -> dict[str, Any]:
    """Returns the JSON object in the body; an empty one if the body is anything else."""
    try:
        value = response.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def parts_of(files: Files | None) -> dict[str, tuple[str, bytes]] | None:
    return dict(files) if files else None


def reason_of(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def say_aside(line: str) -> None:
    """Prints a line on stderr, since stdout is for the command's result."""
    say(line, sys.stderr)
