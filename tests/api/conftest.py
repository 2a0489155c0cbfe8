"""Servers for the tests: in a thread of theirs, or in processes of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from glm_tts_api.http.connections import ConnectionLimits
from glm_tts_api.speech.recent import RecentAnswers
from tests.api.project_folder import project
from tests.api.running import LIMITS, Running, running_app
from tests.api.server_process import Server
from tests.api.tone_engine import ToneEngine


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts servers that speak tones, with the engines and settings it is given, until the test ends."""
    with ExitStack() as servers:

        def start(
            *engines: ToneEngine,
            prepare: Callable[[Path], None] | None = None,
            limits: ConnectionLimits = LIMITS,
            recent: RecentAnswers | None = None,
            **settings: Any,
        ) -> Running:
            engines = engines or (ToneEngine(),)
            root = project(tmp_path / f"project{next(numbers)}", **{"workers": len(engines), **settings})
            if prepare is not None:
                prepare(root)
            return servers.enter_context(running_app(root, lambda _, number: engines[number], limits, recent))

        numbers = count()
        yield start


@pytest.fixture
def server(serve: Callable[..., Running]) -> Running:
    return serve()


@pytest.fixture
def client(server: Running) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers in processes of their own, with the app it is called with, until the test ends."""
    with ExitStack() as ends:

        def begin(app: str, **options: Any) -> Server:
            server = Server(tmp_path / f"server{next(numbers)}", app, **options)
            ends.callback(server.end)
            return server

        numbers = count()
        yield begin


@pytest.fixture
def start(process: Callable[..., Server]) -> Callable[..., Server]:
    """Starts servers that speak tones in processes of their own."""

    def begin(
        *,
        delay_s: float = 0.0,
        tone_s: float = 0.5,
        load_s: tuple[float, ...] = (),
        limits: dict[str, float] | None = None,
        environ: dict[str, str] | None = None,
        **options: Any,
    ) -> Server:
        environ = {
            **(environ or {}),
            "TONE_DELAY_S": str(delay_s),
            "TONE_SECONDS": str(tone_s),
            "TONE_LOAD_S": json.dumps(load_s),
            "CONNECTION_LIMITS": json.dumps(limits or {}),
        }
        return process("tests.api.tone_app:app", environ=environ, **options)

    return begin


@pytest.fixture
def with_engines(process: Callable[..., Server]) -> Callable[..., Server]:
    """Starts servers with engines in processes of their own, with tiny models, which take their time."""

    def begin(**options: Any) -> Server:
        environ = {"ENGINE": "tests.api.faulty_engine"}
        server = process("tests.api.real_app:app", environ=environ, **options)
        server.wait_until_all_speak(120)
        return server

    return begin


@pytest.fixture
def speaking_server(process: Callable[..., Server]) -> Server:
    """One that speaks with the bundled model."""
    server = process("glm_tts_api.api_server:app", flow_steps=1)
    server.wait_until_all_speak(120)
    return server
