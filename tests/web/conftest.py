"""A server on a real port, in a thread of the test process, with an engine that speaks tones."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from project_folder import project
from server_process import Server
from tone_engine import ToneEngine
from waiting import wait_until

from glm_tts_api.api_server import EngineBuilder, create_app
from glm_tts_api.launch import THREADS_WAIT
from glm_tts_api.settings import Settings
from glm_tts_api.web.connections import Connection, ConnectionLimits

LIMITS = ConnectionLimits(send_s=60)


@dataclass
class Running:
    """A server that answers at `url`; its project folder; its engine."""

    url: str
    root: Path
    engine: ToneEngine

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=120, trust_env=False, **options)

    def say(self, text: str = "hello", **fields: Any) -> httpx.Response:
        with self.client() as client:
            return client.post("/api/v1/tts", data={"input_text": text, "index": "exampleA", **fields})

    def lane(self, name: str = "short_text") -> dict[str, int]:
        lane: dict[str, int] = httpx.get(f"{self.url}/api/v1/stats/concurrency").json()["stats"][name]
        return lane

    def wait_for_lane(self, name: str = "short_text", **figures: int) -> None:
        wait_until(lambda: figures.items() <= self.lane(name).items())


@contextmanager
def running_app(
    root: Path, build_engine: EngineBuilder | None, limits: ConnectionLimits = LIMITS
) -> Iterator[Running]:
    """The app of the project folder `root` on a port of its own, until the context ends."""
    app = create_app(Settings.load(root), build_engine=build_engine, limits=limits)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, http=Connection, log_config=None, timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    wait_until(lambda: server.started, 60)
    yield Running(f"http://127.0.0.1:{listener.getsockname()[1]}", root, app.state.parts.engine)
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts servers that speak tones, with the settings it is called with, until the test ends."""
    with ExitStack() as servers:

        def start(
            engine: ToneEngine | None = None,
            prepare: Callable[[Path], None] | None = None,
            limits: ConnectionLimits = LIMITS,
            **settings: Any,
        ) -> Running:
            engine = engine or ToneEngine()
            root = project(tmp_path / f"project{next(numbers)}", **settings)
            if prepare is not None:
                prepare(root)
            return servers.enter_context(running_app(root, lambda *_: engine, limits))

        numbers = count()
        yield start


@pytest.fixture
def server(serve: Callable[..., Running]) -> Running:
    return serve()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers in processes of their own, until the test ends."""
    servers: list[Server] = []

    def begin(
        *,
        delay_s: float = 0.0,
        tone_s: float = 0.5,
        load_s: tuple[float, ...] = (),
        limits: dict[str, float] | None = None,
        ulimit: str | None = None,
        environ: dict[str, str] | None = None,
        **settings: Any,
    ) -> Server:
        environ = {
            **(environ or {}),
            "TONE_DELAY_S": str(delay_s),
            "TONE_SECONDS": str(tone_s),
            "TONE_LOAD_S": json.dumps(load_s),
            "CONNECTION_LIMITS": json.dumps(limits or {}),
        }
        root = tmp_path / f"server{len(servers)}"
        servers.append(Server(root, "tone_app:app", environ=environ, ulimit=ulimit, **settings))
        return servers[-1]

    yield begin
    for server in servers:
        server.end()


@pytest.fixture
def speaking_server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """One that speaks with the bundled model; its parameter is how many workers it has."""
    server = Server(
        tmp_path,
        "glm_tts_api.api_server:app",
        environ=THREADS_WAIT,
        flow_steps=1,
        workers=getattr(request, "param", 1),
    )
    try:
        wait_until(lambda: all(worker["ready"] for worker in server.stats()["per_worker"]), 120)
        yield server
    finally:
        server.end()
