"""The pipe from a server and its engines to the log's writer: nobody waits for it; a dead writer is replaced.

A line that does not fit into the pipe is lost to the log (`logs.py` counts it). A server that waited instead
would stand still with its writer.
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
_PIPE_BYTES = 2**20  # the most that Linux lets anyone have
_AGAIN_S = 1.0


def write_into(log_file: Path, *, as_json: bool, max_bytes: int) -> None:
    """Sends the later stdout and stderr of this process and its children to the log file, and still to where
    they went before. Raises StartupError."""
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
    with suppress(OSError):  # a long record is torn by another process's only where the pipe is full
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
    """Its stderr is not ours: it would hold its own pipe open."""
    return subprocess.Popen(command, stdin=reading, stdout=out, stderr=out)
