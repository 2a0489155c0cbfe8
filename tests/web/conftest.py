"""A server on a real port, in a thread of the test process, with an engine that speaks tones."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from recordings import voice_wav
from tone_engine import ToneEngine

from glm_tts_api.api_server import EngineBuilder, create_app
from glm_tts_api.settings import Settings


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


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "did not come about in time"
        time.sleep(0.02)


def project(root: Path, **settings: Any) -> Path:
    """A project folder with two shipped voices and these settings in its .env."""
    prompts = root / "configs" / "prompts"
    prompts.mkdir(parents=True)
    entries = []
    for name in ("exampleA", "exampleB"):
        (prompts / f"{name}.wav").write_bytes(voice_wav(2.0))
        entries.append(
            f'"{name}": {{"prompt_audio_path": "prompts/{name}.wav", "prompt_text": "text of {name}"}}'
        )
    (root / "configs" / "prompt_cache.json").write_text("{" + ", ".join(entries) + "}")
    lines = [f"{name.upper()}={value}\n" for name, value in settings.items()]
    (root / ".env").write_text("".join(lines))
    return root


@contextmanager
def running_app(root: Path, build_engine: EngineBuilder | None) -> Iterator[Running]:
    """The app of the project folder `root` on a port of its own, until the context ends."""
    app = create_app(Settings.load(root), build_engine=build_engine)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    wait_until(lambda: server.started, 60)
    yield Running(f"http://127.0.0.1:{listener.getsockname()[1]}", root, app.state.service.engine)
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts servers that speak tones, with the settings it is called with, until the test ends."""
    with ExitStack() as servers:

        def start(
            engine: ToneEngine | None = None, prepare: Callable[[Path], None] | None = None, **settings: Any
        ) -> Running:
            engine = engine or ToneEngine()
            root = project(tmp_path / f"project{next(numbers)}", **settings)
            if prepare is not None:
                prepare(root)
            return servers.enter_context(running_app(root, lambda *_: engine))

        numbers = count()
        yield start


@pytest.fixture
def server(serve: Callable[..., Running]) -> Running:
    return serve()
