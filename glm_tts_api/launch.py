"""Turns this process into the server. Knows uvicorn's command line.

The command line that `ps` then shows is `python -m glm_tts_api.uvicorn glm_tts_api.api_server:app ...`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

from glm_tts_api import log_pipe
from glm_tts_api.errors import StartupError
from glm_tts_api.run_folder import CLAIM_VARIABLE, MARK_VARIABLE, SUCCEEDS_VARIABLE
from glm_tts_api.settings import Settings

_SHUTDOWN_S = 5  # for connections that stay open after the drain
# asyncio accepts as many connections as the backlog holds before the first is seen and can be refused.
HTTP_OPTIONS = ["--http", "glm_tts_api.http.connections:Connection", "--backlog", "256"]
HTTP_OPTIONS += ["--h11-max-incomplete-event-size", str(2**16)]  # of a head, whose address may hold a text
HTTP_OPTIONS += ["--loop", "asyncio"]  # also where the extra cluster has brought uvloop
# A ping waits behind the audio that a client has yet to take: its time says nothing of whether it is there.
# And audio does not shrink.
HTTP_OPTIONS += ["--ws-ping-interval", "0", "--ws-per-message-deflate", "false", "--ws-max-size", str(2**20)]


def claim(settings: Settings) -> int:
    """The descriptor that keeps others from starting in this run folder for as long as it is open.

    Raises AlreadyRunning, or StartupError if the run folder cannot be written.
    """
    try:
        return settings.run_folder.claim()
    except OSError as error:
        raise _not_writable("RUN_DIR", settings.run_dir, error) from None


def write_output_into_log(settings: Settings) -> dict[str, str]:
    """What is written to stdout and stderr from now on goes to the log file: too, where it went elsewhere.
    Returns the variables that the server's environment is to have."""
    log_file = settings.path(settings.log_file)
    try:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        with log_file.open("ab") as file:
            goes_there = os.path.sameopenfile(1, file.fileno())
    except OSError as error:
        raise _not_writable("LOG_FILE", log_file, error) from None
    options = ["--json"] if settings.log_format == "json" else []
    if settings.log_max_mb:
        options += ["--max-bytes", str(int(settings.log_max_mb * 2**20))]
    if goes_there and not options:
        return {}
    options += [] if goes_there else ["--copy"]
    return log_pipe.write_by_another([*options, "--", str(log_file)])


def become_server(settings: Settings, claimed: int | None, variables: dict[str, str]) -> NoReturn:
    """Records where the server will listen and gives this process to uvicorn, with `variables` in its
    environment. Without a claim it is the successor of the server that has it."""
    folder = settings.run_folder
    folder.temporary.mkdir(exist_ok=True)
    folder.generation.mkdir(exist_ok=True)
    (folder.generation / "answers").unlink(missing_ok=True)
    drain_s, rolling_s = settings.stop_timeouts
    folder.record(
        host=settings.api_host,
        port=settings.port,
        drain_s=drain_s,
        rolling_s=rolling_s,
        log_file=settings.path(settings.log_file),
        succeeds=claimed is None,
    )
    if claimed is None:
        role = {SUCCEEDS_VARIABLE: "1"}
    else:
        os.set_inheritable(claimed, True)  # workers do not get it: Python closes it for children
        role = {CLAIM_VARIABLE: str(claimed)}
    environment = {
        **os.environ,
        **role,
        **variables,
        MARK_VARIABLE: folder.mark(),
        "TMPDIR": str(folder.temporary),
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
    return [*arguments, "--timeout-graceful-shutdown", str(_SHUTDOWN_S)]


def _not_writable(name: str, path: Path, error: OSError) -> StartupError:
    return StartupError(f"{name}='{path}': cannot be written ({error.strerror}); choose another place")
