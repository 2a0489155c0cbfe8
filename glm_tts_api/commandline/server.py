"""Finds the server for a command: the one at a URL, the one that runs in this folder, or one that is started
for the command."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from glm_tts_api.commandline.api import Api, say_aside
from glm_tts_api.errors import Failed
from glm_tts_api.service.client import Client
from glm_tts_api.service.run_folder import RunFolder
from glm_tts_api.settings import Settings

APP = "glm_tts_api.api_server:app"
_LOOK_S = 0.1
_TELL_AFTER_S = 1.0


@contextmanager
def server_at(
    url: str | None, key: str | None, *, jobs: Path | None = None, starts: bool = False
) -> Iterator[Api]:
    """Yields a client of the server at `url`, or else at GLM_TTS_URL, with the API key `key` or else
    GLM_TTS_API_KEY. The server at a URL is not asked whether it can speak.

    Without a URL, waits until the server of this folder can speak; if none runs, or with `starts`, one is
    started until the `with` block ends. The jobs of that server lie in the folder `jobs`; None has a folder
    made that goes with the server. Raises Failed, or StartupError for invalid settings."""
    url, key = url or os.environ.get("GLM_TTS_URL", ""), key or os.environ.get("GLM_TTS_API_KEY", "")
    if url:
        with Api(url, key) as api:
            yield api
        return
    settings = Settings.load()
    key = key or settings.key
    running = RunFolder.of(settings).server()
    if running is not None and not starts:
        with Api(Client(*running.address(settings)).url, key) as api:
            _wait_until_ready(api, "The server of this folder")
            yield api
    else:
        with _server_of_its_own(key, jobs) as api:
            yield api


@contextmanager
def _server_of_its_own(key: str, jobs: Path | None) -> Iterator[Api]:
    """Starts a server on a port that only this machine can reach, and yields its client once the server can
    speak. The server ends with the `with` block, and also with this process if that is killed. Raises Failed
    if the server ends before or cannot speak."""
    folder = Path(tempfile.mkdtemp(prefix="glm-tts-"))
    log_file = folder / "server.log"
    with socket.create_server(("127.0.0.1", 0)) as listener, log_file.open("wb") as log:
        port = listener.getsockname()[1]
        command = [sys.executable, "-m", "glm_tts_api.serving", "uvicorn", APP]
        command += ["--private", str(os.getpid()), str(listener.fileno())]
        process = subprocess.Popen(
            command,
            # This server must not run others' jobs.
            env={**os.environ, "JOBS_DIR": str((jobs or folder / "jobs").absolute())},
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C goes to this command alone
        )

    def require_alive() -> None:
        if process.poll() is not None:
            last = (log_file.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
            raise Failed(f"The server that this command started has ended: {last} (its log: {log_file})")

    try:
        say_aside("No server runs in this folder: one is started for this command.")
        with Api(f"http://127.0.0.1:{port}", key, require_alive) as api:
            health = _wait_until_ready(api, "It")
            if health.get("notice"):
                say_aside(str(health["notice"]))
            yield api
    finally:
        has_ended = process.poll() is not None  # then its log is kept for the user
        process.kill()
        process.wait()
        if not has_ended:
            shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(api: Api, who: str) -> dict[str, Any]:
    """Waits until the server can speak. Returns its health. The parameter `who` names the server in messages.
    Raises Failed if the server cannot load its model or is known to have ended."""
    began, told = time.monotonic(), False
    while (health := api.health()).get("status") not in ("healthy", "idle"):
        api.require_server()
        if health.get("status") == "unhealthy":
            raise Failed(f"{who} cannot speak: {health.get('cause')}")
        if not told and time.monotonic() - began >= _TELL_AFTER_S:
            told = True
            say_aside(f"{who} loads its model.")
        time.sleep(_LOOK_S)
    return health
