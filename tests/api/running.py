"""A server on a real port, in a thread of the test process, with an engine that speaks tones."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from glm_tts_api.api_server import EngineBuilder, create_app
from glm_tts_api.http.connections import Connection, ConnectionLimits
from glm_tts_api.settings import Settings
from glm_tts_api.speech.recent import RecentAnswers
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until

LIMITS = ConnectionLimits()


@dataclass
class Running:
    """A server that answers at `url`; its project folder; its first engine."""

    url: str
    root: Path
    engine: ToneEngine

    def client(self, **options: Any) -> httpx.Client:
        # Certificates that no http:// needs take 30 ms to read.
        return httpx.Client(base_url=self.url, timeout=120, trust_env=False, verify=False, **options)

    def say(
        self, text: str = "hello", headers: dict[str, str] | None = None, **fields: Any
    ) -> httpx.Response:
        with self.client(headers=headers) as client:
            return client.post("/api/v1/tts", data={"input_text": text, "index": "exampleA", **fields})

    def figures(self) -> dict[str, Any]:
        with self.client() as client:
            return dict(client.get("/api/v1/stats/concurrency").json())

    def lane(self, name: str = "short_text") -> dict[str, int]:
        return dict(self.figures()["stats"][name])

    def wait_for_lane(self, name: str = "short_text", **figures: int) -> None:
        wait_until(lambda: figures.items() <= self.lane(name).items())


@contextmanager
def running_app(
    root: Path,
    build_engine: EngineBuilder | None,
    limits: ConnectionLimits = LIMITS,
    recent: RecentAnswers | None = None,
) -> Iterator[Running]:
    """The app of the project folder `root` on a port of its own, until the context ends."""
    app = create_app(Settings.load(root), build_engine=build_engine, limits=limits, recent=recent)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, http=Connection, log_config=None, timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    wait_until(lambda: server.started, 60)
    yield Running(
        f"http://127.0.0.1:{listener.getsockname()[1]}", root, app.state.parts.speech.engines.each[0]
    )
    server.should_exit = True
    thread.join(20)
