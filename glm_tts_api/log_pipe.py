"""The pipe from a server's processes to the log's writer: nobody waits for it, and a dead writer is replaced.

A line that does not fit into the pipe is lost to the log (`logs.py` counts it). A server that waited instead
would stand still with its writer.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import stat
import subprocess
import sys
import threading
import time
from contextlib import suppress

logger = logging.getLogger(__name__)
WRITER_VARIABLE = "GLM_TTS_LOG_WRITER"  # the writer's PID, the descriptors that it has, and its arguments
_PIPE_BYTES = 2**20  # the most that Linux lets anyone have
_OUTPUT = (1, 2)
_AGAIN_S = 1.0


def write_by_another(arguments: list[str]) -> dict[str, str]:
    """Starts a log writer, to which stdout and stderr go from now on. Returns the environment's variables by
    which the program that this process becomes can look after it."""
    reading, writing = os.pipe()
    with suppress(OSError):  # a long record is torn by another process's only where the pipe is full
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    out = os.dup(1)
    writer = _start(arguments, reading, out)
    for descriptor in _OUTPUT:
        os.dup2(writing, descriptor)
    os.close(writing)
    for descriptor in (reading, out):
        os.set_inheritable(descriptor, True)
    return {WRITER_VARIABLE: json.dumps([writer.pid, reading, out, arguments])}


def keep_output_going() -> None:
    """From now on no write to stdout or stderr waits where they are pipes. If this process has a log writer
    and that one dies, another takes its place, with what is in the pipe."""
    for descriptor in _OUTPUT:
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            with suppress(OSError):  # another user's
                # A description of our own: the old one may be shared with programs that expect to wait.
                own = os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK)
                os.dup2(own, descriptor)
                os.close(own)
    described = os.environ.pop(WRITER_VARIABLE, None)
    if described is not None:
        pid, reading, out, arguments = json.loads(described)
        for descriptor in (reading, out):
            os.set_inheritable(descriptor, False)
        threading.Thread(
            target=_replace, args=(pid, arguments, reading, out), name="log-writer", daemon=True
        ).start()


def _replace(pid: int, arguments: list[str], reading: int, out: int) -> None:
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)
    while True:
        time.sleep(_AGAIN_S)
        writer = _start(arguments, reading, out)
        logger.warning("The process that writes the log had ended; another (PID %d) goes on", writer.pid)
        writer.wait()


def _start(arguments: list[str], reading: int, out: int) -> subprocess.Popen[bytes]:
    """Its stderr is not ours: it would hold its own pipe open."""
    command = [sys.executable, "-m", "glm_tts_api.log_writer", *arguments]
    return subprocess.Popen(command, stdin=reading, stdout=out, stderr=out)
