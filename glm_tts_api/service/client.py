"""An HTTP client for the server on this machine. It uses no proxy."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from glm_tts_api.service.port import short_path

_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. `status` is 0 if no answer came; `body` then has the error's text. `timed_out` says
    that the error was a time-out."""

    status: int
    body: bytes
    timed_out: bool = False

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; an empty dictionary if the body is no JSON object."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def why(self) -> str:
        """A description of an answer that is not 200, for a user: its status, and its message or the first
        200 bytes of its body."""
        message = self.json().get("message")
        return f"HTTP {self.status}, {message or self.body[:200].decode(errors='replace')}"


class Client:
    """A client of the server that listens on `host` and `port` of this machine. If `private` is given, the
    client connects to that Unix socket instead. Requests carry the API key `key`; empty for none."""

    def __init__(self, host: str, port: int, key: str = "", private: Path | None = None) -> None:
        here = _ANY_ADDRESS.get(host, host)
        self.url = _url(here, port)
        self.shown_url = _url("localhost" if here in ("127.0.0.1", "::1") else host, port)
        self._key = {b"X-API-Key": key.encode()} if key else {}
        self._private = private

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, 10)

    def post_json(self, path: str, body: dict[str, Any], headers: dict[str, str], timeout_s: float) -> Answer:
        return self._ask("POST", path, timeout_s, json=body, headers=headers)

    def _ask(self, method: str, path: str, timeout_s: float, **options: Any) -> Answer:
        with ExitStack() as stack:
            try:
                socket = stack.enter_context(short_path(self._private)) if self._private else None
                transport = httpx.HTTPTransport(verify=False, uds=socket)
                client = httpx.Client(transport=transport, headers=self._key, timeout=timeout_s)
                response = stack.enter_context(client).request(method, f"{self.url}{path}", **options)
            except (OSError, httpx.HTTPError) as error:
                timed_out = isinstance(error, httpx.TimeoutException)
                return Answer(0, str(error).encode(), timed_out)
        return Answer(response.status_code, response.content)


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
