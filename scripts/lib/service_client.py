"""A client of the running server on this machine. Standard library only; goes through no proxy."""

from __future__ import annotations

import http.client
import json
import socket
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glm_tts_api.handover import short_path
from glm_tts_api.settings import Settings

_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; status 0 if none came, and why in `body`."""

    status: int
    body: bytes
    timed_out: bool = False

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; an empty one if it is something else."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def why(self) -> str:
        """One that is not 200, for a reader."""
        message = self.json().get("message")
        return f"HTTP {self.status}, {message or self.body[:200].decode(errors='replace')}"


class Client:
    """The server that `settings` describe, as a client on this machine sees it; by way of the Unix socket
    `private` if that is given."""

    def __init__(self, settings: Settings, private: Path | None = None) -> None:
        host = _ANY_ADDRESS.get(settings.api_host, settings.api_host)
        self.base_url = _url(host, settings.port)
        here = settings.api_host in (*_ANY_ADDRESS, "127.0.0.1", "::1")
        self.shown_url = _url("localhost" if here else host, settings.port)
        # A header's text is written as Latin-1; the key is to go out in UTF-8.
        key = settings.api_keys[0].encode().decode("latin-1") if settings.api_keys else ""
        self._key = {"X-API-Key": key} if key else {}
        handlers = [_PrivateHandler(private)] if private else []
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *handlers)

    def get(self, path: str) -> Answer:
        return self._send(urllib.request.Request(self.base_url + path, headers=self._key), 10)

    def post_json(self, path: str, body: dict[str, Any], *, token: str, timeout_s: float) -> Answer:
        headers = {"Content-Type": "application/json", "X-Verify-Token": token, **self._key}
        data = json.dumps(body).encode()
        return self._send(urllib.request.Request(self.base_url + path, data, headers), timeout_s)

    def _send(self, request: urllib.request.Request, timeout_s: float) -> Answer:
        try:
            with self._opener.open(request, timeout=timeout_s) as response:
                return Answer(response.status, response.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read())
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            return Answer(0, str(reason).encode(), timed_out=isinstance(reason, TimeoutError))


class _PrivateHandler(urllib.request.HTTPHandler):
    """Connects to a Unix socket, whatever the address says."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        path = self._path

        class Connection(http.client.HTTPConnection):
            def connect(self) -> None:
                self.sock = socket.socket(socket.AF_UNIX)
                self.sock.settimeout(self.timeout)
                with short_path(path) as short:
                    self.sock.connect(short)

        return self.do_open(Connection, request)


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
