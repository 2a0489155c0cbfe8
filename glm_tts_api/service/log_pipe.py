"""The pipe through which a server and its engines send their output to the process that writes the log.
Writing never blocks, and a writer that died is replaced.

A line that does not fit into the pipe is not logged (`logs.py` counts such lines). If the server waited
instead, it would stand still whenever its writer does.
"""

from __future__ import annotations

import fcntl
import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from glm_tts_api.errors import StartupError

logger = logging.getLogger(__name__)
_PIPE_BYTES = 2**20  # Linux's default limit for users other than root
_AGAIN_S = 1.0


def write_into(log_file: Path, *, as_json: bool, max_bytes: int) -> None:
    """Sends stdout and stderr of this process and its later children to `log_file` from now on, and also to
    where they went before. `as_json` makes each line JSON. A file larger than `max_bytes` is rotated; 0 is no
    limit. If stdout is `log_file` already, nothing changes unless `as_json` or `max_bytes` is set. Raises
    StartupError."""
    try:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        with log_file.open("ab") as file:
            goes_there = os.path.sameopenfile(1, file.fileno())
    except OSError as error:
        raise StartupError(
            f"LOG_FILE='{log_file}': cannot be written ({error.strerror}); choose another place"
        ) from None
    options = ["--json"] * as_json + ["--max-bytes", str(max_bytes)] * bool(max_bytes)
    if goes_there and not options:
        return
    options += ["--copy"] * (not goes_there)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    # Processes can tear each other's lines only in a full pipe, so a large pipe is best.
    with suppress(OSError):
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    command = [sys.executable, "-m", "glm_tts_api.service.log_writer", *options, "--", str(log_file)]
    out = os.dup(1)
    writer = _start(command, reading, out)
    for descriptor in (1, 2):
        os.dup2(writing, descriptor)
    os.close(writing)
    threading.Thread(
        target=_replace, args=(writer, command, reading, out), name="log-writer", daemon=True
    ).start()


def _replace(writer: subprocess.Popen[bytes], command: list[str], reading: int, out: int) -> None:
    while True:
        writer.wait()
        time.sleep(_AGAIN_S)
        writer = _start(command, reading, out)
        logger.warning("The process that writes the log had ended; another (PID %d) goes on", writer.pid)


def _start(command: list[str], reading: int, out: int) -> subprocess.Popen[bytes]:
    """Starts the log writer, which reads the pipe `reading` and copies to `out`. Its stderr is `out` too,
    since this process's stderr is the pipe and the writer would keep its own pipe open."""
    return subprocess.Popen(command, stdin=reading, stdout=out, stderr=out)
