"""Servers for the tests: in a thread of theirs, or in processes of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from glm_tts_api.http.connections import ConnectionLimits
from glm_tts_api.launch import THREADS_WAIT
from tests.api.project_folder import project
from tests.api.running import LIMITS, Running, running_app
from tests.api.server_process import Server
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until


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
        prefix: tuple[str, ...] = ("env", "--default-signal=HUP"),
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
        servers.append(
            Server(root, "tests.api.tone_app:app", environ=environ, ulimit=ulimit, prefix=prefix, **settings)
        )
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
