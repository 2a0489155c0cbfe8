"""Turns this process into the server. Knows the run folder and uvicorn's command line.

The command line that `ps` then shows is `python -m glm_tts_api.uvicorn glm_tts_api.api_server:app ...`.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import NoReturn

from glm_tts_api.errors import AlreadyRunning, StartupError
from glm_tts_api.settings import Settings

# OpenMP's threads wait for the next operator for some 0.4 ms and sleep then. The stages share the cores: left
# to spin, their threads were seen to make a flow step 20 times slower; without any spinning a decode step on
# two cores took 2.7 times as long.
_THREADS_WAIT = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "10000"}
_SHUTDOWN_S = 5  # for connections that stay open after the drain
# asyncio accepts as many connections as the backlog holds before the first is seen and can be refused.
HTTP_OPTIONS = ["--http", "glm_tts_api.web.connections:Connection", "--backlog", "256"]
_WORKER_HEALTH_S = 120  # a load that holds the GIL must not look like a hang


def claim(settings: Settings) -> int:
    """The descriptor of the PID file, locked: for as long as it is open, so can't be stale.

    Raises AlreadyRunning, or StartupError if the run folder cannot be written.
    """
    try:
        settings.pid_file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(settings.pid_file, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise _not_writable("RUN_DIR", settings.run_dir, error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pid = os.read(descriptor, 32).decode(errors="replace").strip() or "it is starting"
        raise AlreadyRunning(f"the server is already running (PID {pid}, {settings.pid_file})") from None
    return descriptor


def copy_output_into(log_file: Path) -> None:
    """What is written to stdout and stderr from now on goes to the log file too, if it does not already."""
    try:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        with log_file.open("ab") as file:
            if os.path.sameopenfile(1, file.fileno()):
                return
    except OSError as error:
        raise _not_writable("LOG_FILE", log_file, error) from None
    # tee must outlive Ctrl-C, to write the server's last lines.
    tee = subprocess.Popen(["tee", "-i", "-a", "--", log_file], stdin=subprocess.PIPE)
    assert tee.stdin is not None
    os.dup2(tee.stdin.fileno(), 1)
    os.dup2(tee.stdin.fileno(), 2)


def become_server(settings: Settings, claimed: int) -> NoReturn:
    """Writes this process's number into the claimed PID file and gives the process to uvicorn."""
    run_dir = settings.pid_file.parent
    temporary = run_dir / "tmp"
    temporary.mkdir(exist_ok=True)
    os.truncate(claimed, 0)
    os.write(claimed, f"{os.getpid()}\n".encode())
    os.set_inheritable(claimed, True)  # uvicorn's own workers do not get it: Python closes it for children
    (run_dir / "drain_timeout").write_text(f"{int(settings.drain_timeout)}\n")
    environment = {
        **_THREADS_WAIT,
        **os.environ,
        "GLM_TTS_RUN_ID": _run_id(run_dir),
        "TMPDIR": str(temporary),
        "PYTHONUNBUFFERED": "1",
    }
    os.execve(
        sys.executable,
        [sys.executable, "-m", "glm_tts_api.uvicorn", *_uvicorn_arguments(settings)],
        environment,
    )


def _uvicorn_arguments(settings: Settings) -> list[str]:
    arguments = ["glm_tts_api.api_server:app", "--host", settings.api_host, "--port", str(settings.port)]
    arguments += HTTP_OPTIONS
    arguments += ["--workers", str(settings.workers), "--timeout-graceful-shutdown", str(_SHUTDOWN_S)]
    if settings.workers > 1:
        arguments += ["--timeout-worker-healthcheck", str(_WORKER_HEALTH_S)]
    return arguments


def _run_id(run_dir: Path) -> str:
    """The mark of this run folder's processes in their environment, made once; stop_api.sh looks for it."""
    file = run_dir / "run_id"
    if not file.exists():
        new = file.with_suffix(".new")
        new.write_text(f"{uuid.uuid4()}\n")
        new.replace(file)
    return file.read_text().strip()


def _not_writable(name: str, path: Path, error: OSError) -> StartupError:
    return StartupError(f"{name}='{path}': cannot be written ({error.strerror}); choose another place")
