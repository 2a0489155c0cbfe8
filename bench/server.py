"""Starts a server of its own for a measurement, on a free port, and ends it afterwards."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
REQUEST_TIMEOUT_S = 1800
_START_TIMEOUT_S = 600


@contextmanager
def running_server(settings: Mapping[str, str] = {}, **config: Any) -> Iterator[tuple[str, int]]:
    """Starts a server for the block, and yields its base URL and process id. `settings` are environment
    variables that override those of this process, `config` are fields of EngineConfig."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as run_dir, (Path(run_dir) / "server.log").open("wb") as log:
        limits = dict.fromkeys(("SHORT_TEXT_TIMEOUT", "MEDIUM_TEXT_TIMEOUT", "LONG_TEXT_TIMEOUT"), "600")
        own = {"API_HOST": "127.0.0.1", "PORT": port, "RUN_DIR": run_dir, "LOG_FILE": log.name}
        command = ["glm_tts_api", "serve"]
        if config:
            command = ["glm_tts_api.serving", "uvicorn", "bench.tuned_app:app", "--port", port]
            own["ENGINE_CONFIG"] = json.dumps(config)
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**limits, **os.environ, **settings, **own, "DRAIN_TIMEOUT": "0"},
            stdout=log,
            stderr=log,
        )
        try:
            _wait_until_healthy(f"http://127.0.0.1:{port}", process, Path(log.name))
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + _START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < give_up:
        try:
            if httpx.get(f"{url}/api/v1/health", timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"the server did not start in {_START_TIMEOUT_S} s:\n{log.read_text()[-2000:]}")
