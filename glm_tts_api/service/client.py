"""An HTTP client for the server on this machine. It uses no proxy."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx

from glm_tts_api.errors import Failed
from glm_tts_api.service.port import short_path

_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class Client:
    """A client of the server that listens on `host` and `port` of this machine. If `private` is given, the
    client connects to that Unix socket instead. Requests carry the API key `key`; empty for none."""

    def __init__(self, host: str, port: int, key: str = "", private: Path | None = None) -> None:
        here = _ANY_ADDRESS.get(host, host)
        self.url = _url(here, port)
        self.shown_url = _url("localhost" if here in ("127.0.0.1", "::1") else host, port)
        self._key = {b"X-API-Key": key.encode()} if key else {}
        self._private = private

    def ask(self, path: str, method: str = "GET", timeout_s: float = 10, **sent: Any) -> httpx.Response:
        """Sends a request with the parts `sent` (json, headers) and returns the whole answer. Raises Failed
        if none comes; its cause is a TimeoutException if none came in time."""
        with ExitStack() as stack:
            try:
                socket = stack.enter_context(short_path(self._private)) if self._private else None
                transport = httpx.HTTPTransport(verify=False, uds=socket)
                client = httpx.Client(transport=transport, headers=self._key, timeout=timeout_s)
                return stack.enter_context(client).request(method, f"{self.url}{path}", **sent)
            except (OSError, httpx.HTTPError) as error:
                raise Failed(f"No answer at {self.url}: {error}") from error

    def health(self) -> dict[str, Any]:
        """Returns the server's health; an empty dictionary while no server answers."""
        with suppress(Failed):
            return json_of(self.ask("/api/v1/health"))
        return {}


def json_of(response: httpx.Response) -> dict[str, Any]:
    """Returns the JSON object in the body; an empty one if the body is anything else."""
    try:
        value = response.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def required(response: httpx.Response, fault: str) -> httpx.Response:
    """Returns an answer with status 200. Raises Failed for any other: its message has the sentence `fault`,
    the status, and the answer's message or the first characters of its body."""
    if response.status_code != 200:
        message = json_of(response).get("message") or response.text[:200]
        raise Failed(f"{fault}: HTTP {response.status_code}, {message}")
    return response


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
