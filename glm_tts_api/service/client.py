"""An HTTP client for the server on this machine. It uses no proxy."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glm_tts_api.service.handover import short_path

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
        self._host = _ANY_ADDRESS.get(host, host)
        self._port = port
        self._private = private
        is_here = host in (*_ANY_ADDRESS, "127.0.0.1", "::1")
        self.url = _url(self._host, port)
        self.shown_url = _url("localhost" if is_here else host, port)
        # http.client encodes headers as Latin-1, but the key has to be sent in UTF-8.
        self._key = {"X-API-Key": key.encode().decode("latin-1")} if key else {}

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None, {}, 10)

    def post_json(self, path: str, body: dict[str, Any], headers: dict[str, str], timeout_s: float) -> Answer:
        headers = {"Content-Type": "application/json", **headers}
        return self._ask("POST", path, json.dumps(body).encode(), headers, timeout_s)

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], timeout_s: float
    ) -> Answer:
        connection = _Connection(self._host, self._port, timeout=timeout_s)
        connection.private = self._private
        try:
            connection.request(method, path, body, {**headers, **self._key})
            response = connection.getresponse()
            return Answer(response.status, response.read())
        except (OSError, ValueError, http.client.HTTPException) as error:
            return Answer(0, str(error).encode(), timed_out=isinstance(error, TimeoutError))
        finally:
            connection.close()


class _Connection(http.client.HTTPConnection):
    private: Path | None = None

    def connect(self) -> None:
        if self.private is None:
            super().connect()
            return
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        with short_path(self.private) as short:
            self.sock.connect(short)


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
