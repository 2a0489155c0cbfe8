"""The run folder: whose it is, who runs here, on which port. Knows Linux's /proc.

    api_server.pid   the PID of the server in charge; locked while it lives, so a claim can't be stale
    run_id           the mark of this folder's processes in their environment; the folder that it belongs to
    server           where the running server listens, and how long it may take to stop
    server.next      the same of its successor, which has yet to prove itself
    generation-0, 1  the sockets and figures of a server; of its successor, while there are two
    cache            what can be built again, see Settings.cache_dir
    tmp-MARK         its temporary files; the mark in the name says that they are ours to remove

The shell scripts know as much (scripts/lib/processes.sh).
"""

from __future__ import annotations

import fcntl
import os
import re
import time
import uuid
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from glm_tts_api.errors import AlreadyRunning

MARK_VARIABLE = "GLM_TTS_RUN_ID"
GENERATION_VARIABLE = "GLM_TTS_GENERATION"  # 0 or 1
CLAIM_VARIABLE = "GLM_TTS_CLAIM"  # the descriptor that claim() returned
SUCCEEDS_VARIABLE = "GLM_TTS_SUCCEEDS"  # set where there is a server in charge whose port is to be taken over
_MARK = re.compile(r"[A-Za-z0-9-]+")
_PROC = Path("/proc")
_PROBED_S = 1.0  # others may look whether the claim is free; that takes them a moment


@dataclass(frozen=True, slots=True)
class RunningServer:
    """`host` and `port` are None if nothing is recorded of it (yet)."""

    pid: int
    host: str | None = None
    port: int | None = None

    def __str__(self) -> str:
        return f"PID {self.pid}" + (f", port {self.port}" if self.port else "")


class RunFolder:
    """The folder `path` of a server that is started in the folder `project`. Of two at a time one has
    `number` 0, its successor or predecessor 1."""

    def __init__(self, path: Path, project: Path, *, number: int = 0) -> None:
        self.path = path.resolve()
        self.generation = self.path / f"generation-{number}"
        self.predecessor = self.path / f"generation-{1 - number}"
        self._project = project.resolve()
        self._pid_file = self.path / "api_server.pid"

    @property
    def temporary(self) -> Path:
        return self.path / f"tmp-{self.mark()}"

    def mark(self) -> str:
        """What this folder's processes carry in MARK_VARIABLE. Made once; a copied folder gets its own.

        Raises OSError.
        """
        file = self.path / "run_id"
        mark, _, folder = _text(file).strip().partition(" ")
        mark = mark if _MARK.fullmatch(mark) else ""
        if mark and folder == str(self.path):
            return mark
        if not mark or (folder and not self.is_claimed()):  # a copy; a claimed one was moved as it is
            mark = str(uuid.uuid4())
        new = file.with_suffix(".new")
        new.write_text(f"{mark} {self.path}\n")
        new.replace(file)
        return mark

    def claim(self) -> int:
        """The descriptor of the PID file, locked and with this process's PID in it.

        Raises AlreadyRunning, or OSError if the folder cannot be written.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        self.mark()
        descriptor = os.open(self._pid_file, os.O_RDWR | os.O_CREAT, 0o644)
        deadline = time.monotonic() + _PROBED_S
        while not _lock(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise AlreadyRunning(f"The server is already running ({self.server() or self._pid_file}).")
            time.sleep(0.05)
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        return descriptor

    def is_claimed(self) -> bool:
        """Whether a server of this very folder lives; a copy of the PID file has no lock."""
        try:
            descriptor = os.open(self._pid_file, os.O_RDONLY)
        except OSError:
            return False
        try:
            return not _lock(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)

    def is_in_charge(self, pid: int) -> bool:
        """Whether the server `pid` is the one that the PID file names; also where it names none."""
        return _text(self._pid_file).split()[:1] in ([], [str(pid)])

    def put_in_charge(self, pid: int, record: str) -> None:
        """From now on the server `pid`, of which `record` tells, has the port and the PID file, whose lock it
        shares already; the other sees it, and leaves once it is told to end. Raises OSError."""
        self._write(self.path / "server", record)
        (self.path / "server.next").unlink(missing_ok=True)
        with self._pid_file.open("r+") as file:
            file.write(f"{pid}\n")
            file.truncate()

    def records(self) -> tuple[str, str]:
        """What is told of the server in charge, and of its successor."""
        return _text(self.path / "server"), _text(self.path / "server.next")

    def record(
        self,
        *,
        host: str,
        port: int,
        drain_s: float,
        rolling_s: float,
        log_file: Path,
        succeeds: bool = False,
    ) -> None:
        """Says of this process, the server, where it listens, for how long it drains, also where another has
        its port by then, and where it logs."""
        lines = (
            f"pid {os.getpid()}",
            f"host {host}",
            f"port {port}",
            f"drain_s {ceil(drain_s)}",
            f"rolling_s {ceil(rolling_s)}",
            f"log_file {log_file}",
        )
        file = self.path / ("server.next" if succeeds else "server")
        self._write(file, "".join(f"{line}\n" for line in lines))

    @staticmethod
    def _write(file: Path, text: str) -> None:
        new = file.with_suffix(".new")
        new.write_text(text)
        new.replace(file)

    def server(self) -> RunningServer | None:
        """The server that the PID file names, if it lives and is ours."""
        words = _text(self._pid_file).split()
        if not words or not words[0].isdecimal() or not self.owns(int(words[0])):
            return None
        lines = _text(self.path / "server").splitlines()
        recorded = dict(line.split(" ", 1) for line in lines if " " in line)
        if recorded.get("pid") != words[0]:
            return RunningServer(int(words[0]))
        return RunningServer(int(words[0]), recorded["host"], int(recorded["port"]))

    def owns(self, pid: int) -> bool:
        """Whether the process carries this folder's mark and works in this project's folder."""
        process = _PROC / str(pid)
        try:
            environment = (process / "environ").read_bytes().split(b"\0")
            folder = os.readlink(process / "cwd").removesuffix(" (deleted)")
            return f"{MARK_VARIABLE}={self.mark()}".encode() in environment and folder == str(self._project)
        except OSError:
            return False


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _text(file: Path) -> str:
    """What the file holds, whoever wrote it; nothing if it is not there."""
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""
