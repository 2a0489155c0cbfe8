"""A server's HTTP API, as the commands ask it. Every refusal is a Failed that says what the server says."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any, Self

import httpx

from glm_tts_api.commandline.failing import Failed
from glm_tts_api.service.output import say

_CONNECT_S = 10.0
_ANSWER_S = 3600.0  # longer than any deadline: the server ends what takes too long
_PATIENCE_S = 600.0  # for a server that is full or loads its model
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
    """Arguments for httpx's clients. Raises Failed."""
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
        "trust_env": host not in _HERE,  # no proxy leads to this machine
        "follow_redirects": True,
    }


class Api:
    """A context: the server at `url`, and the key that it may want. `options`: of any other client of it;
    `require_server` raises Failed where it is known to have ended."""

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
        """The JSON object at the path."""
        return json_of(self._checked("GET", path))

    def read(self, path: str) -> bytes:
        return self._checked("GET", path).content

    def post(self, path: str, fields: Fields, files: Files | None = None) -> dict[str, Any]:
        return json_of(self._checked("POST", path, data=fields, files=files))

    def delete(self, path: str) -> dict[str, Any]:
        return json_of(self._checked("DELETE", path))

    def require_voice(self, name: str) -> None:
        """Raises Failed where the server knows no such voice."""
        with self._said():
            response = self._client.head("/api/v1/tts", params={"input_text": "a", "index": name})
        if response.status_code == 404:
            raise Failed(f"The server has no voice '{name}'; glm-tts voices list shows those that it has.")

    def health(self) -> dict[str, Any]:
        """Also of a server that cannot speak; empty while none answers."""
        try:
            return json_of(self._client.get("/api/v1/health", timeout=_CONNECT_S))
        except httpx.HTTPError:
            return {}

    def speak(self, fields: Fields, files: Files | None = None, *, request_id: str | None = None) -> bytes:
        """The whole audio."""
        with self._spoken(fields, files, request_id) as response:
            return response.read()

    @contextmanager
    def stream(self, fields: Fields, files: Files | None = None) -> Iterator[Iterator[bytes]]:
        """The audio while it is made."""
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
        """Turns a connection's errors into Failed."""
        try:
            yield
        except httpx.ConnectError as error:
            raise Failed(f"No server answers at {self.url} ({reason_of(error)}).") from None
        except httpx.HTTPError as error:
            raise Failed(f"The connection to {self.url} broke ({reason_of(error)}).") from None


def _once_there_is_room(begin: Callable[[], httpx.Response]) -> httpx.Response:
    """Asks again where the server says when, and tells so once."""
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
    """Seconds until the server wants to be asked again."""
    if response.status_code not in _AGAIN:
        return None
    try:
        wait_s = float(response.headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return max(0.1, wait_s) if math.isfinite(wait_s) else None


def refusal_of(response: httpx.Response) -> str:
    """The server's message, with a hint for the command line."""
    answer = json_of(response)
    message = answer.get("message") or f"{response.url} answers HTTP {response.status_code}."
    return f"{message}{_HINTS.get(str(answer.get('code')), '')}"


def json_of(response: httpx.Response) -> dict[str, Any]:
    """An empty one if the body is something else."""
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
    """Prints on stderr: stdout is for the command's result."""
    say(line, sys.stderr)
