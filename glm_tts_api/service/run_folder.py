"""The run folder: which servers run here, and where they listen.

api_server.pid    the PID of the server that has the port
lock              held by the start, stop or restart that is at work; its PID
cache             files that can be built again, see Settings.cache_dir
server-PID        a server's own folder, locked while it lives: a copy has no lock
  record          where it listens, how long it may take to stop, where it logs
  handover.sock   the socket by which a successor gets its port
  private.sock    the socket by which a successor is tried before it has the port
  tmp             its temporary files
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from glm_tts_api.errors import AlreadyRunning
from glm_tts_api.service.processes import descriptor_of, folder_of

_TRIED, _SERVES, _LEAVES = "tried", "serves", "leaves"


@dataclass(frozen=True, slots=True)
class Server:
    """A server that lives, or lived a moment ago; one of an earlier version has no facts. `is_ours`: this
    user sees its process, which works in this project's folder."""

    pid: int
    folder: Path
    facts: dict[str, str]
    is_ours: bool = True

    @property
    def has_port(self) -> bool:
        return self.facts.get("role", _SERVES) == _SERVES

    @property
    def is_tried(self) -> bool:
        return self.facts.get("role") == _TRIED

    def number(self, name: str, otherwise: float) -> float:
        """A number of the record, or `otherwise` where the record holds none: a stop must go on."""
        with suppress(KeyError, ValueError):
            return float(self.facts[name])
        return otherwise

    def __str__(self) -> str:
        return f"PID {self.pid}" + (f", port {self.facts['port']}" if "port" in self.facts else "")


class RunFolder:
    """The folder `path` of a server that is started in the folder `project`."""

    def __init__(self, path: Path, project: Path) -> None:
        self.path = path.resolve()
        self.pid_file = self.path / "api_server.pid"
        self._project = project.resolve()

    def own(self, pid: int | None = None) -> Path:
        """The folder of a server, by default of this process."""
        return self.path / f"server-{pid or os.getpid()}"

    def servers(self) -> list[Server]:
        """The servers that live."""
        folders = (path for path in self.path.glob("server-*") if path.name[7:].isdecimal())
        found = {int(path.name[7:]): path for path in folders if _is_locked(path)}
        if (
            _is_locked(self.pid_file) and (pid := _text(self.pid_file).strip()).isdecimal()
        ):  # an earlier version
            found[int(pid)] = self.pid_file
        return [server for pid, folder in found.items() if (server := self._server(pid, folder))]

    def server(self) -> Server | None:
        """The one that has the port; in the moment in which it is handed over, the one that gets it."""
        named = _text(self.pid_file).split()[:1]
        found = sorted(
            (each for each in self.servers() if each.has_port), key=lambda each: [str(each.pid)] != named
        )
        return found[0] if found else None

    def ended(self, server: Server) -> Server:
        """The server with its last record."""
        return Server(server.pid, server.folder, _facts(server.folder / "record"))

    def claim(self, *, succeeds: bool = False) -> int:
        """Makes this process a server of this folder. Returns a descriptor: it is one for as long as that is
        open. One that it has already is found again, so that it outlives an exec.

        Raises AlreadyRunning if there is a server and this is not to succeed it, or OSError if the folder
        cannot be written.
        """
        if (held := self.claimed()) is not None:
            return held
        self.path.mkdir(parents=True, exist_ok=True)
        with self._locked():
            others = self.servers()
            if others and not succeeds:
                raise AlreadyRunning(f"The server is already running ({self.server() or others[0]}).")
            self.clean()
            (self.own() / "tmp").mkdir(parents=True, exist_ok=True)
            self.record(role=_TRIED if succeeds else _SERVES)
            descriptor = os.open(self.own(), os.O_RDONLY)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not succeeds:
                self.pid_file.write_text(f"{os.getpid()}\n")
        return descriptor

    def claimed(self) -> int | None:
        """The descriptor by which this process is a server of this folder."""
        return descriptor_of("self", self.own())

    def record(self, **facts: object) -> None:
        """Adds facts to the record of this process, a server: `host` and `port` where it listens, and
        `log_file`. `drain_s` and `rolling_s` are the seconds that it may take to stop, alone and where
        another server has its port.

        Raises OSError.
        """
        known: dict[str, object] = {**_facts(self.own() / "record"), **facts}
        new = self.own() / "record.new"
        new.write_text("".join(f"{name} {value}\n" for name, value in known.items()))
        new.replace(self.own() / "record")

    def take_charge(self) -> None:
        """Says that this process has the port from now on. Raises OSError."""
        self.record(role=_SERVES)
        self.pid_file.write_text(f"{os.getpid()}\n")

    def is_succeeded(self) -> bool:
        """Whether another server has this process's port."""
        server = self.server()
        return server is not None and server.pid != os.getpid()

    def leave(self, *, n_ended: int, n_cut: int) -> None:
        """Says how many of this process's last answers ended, and how many were cut, or would be if it ended
        now."""
        with suppress(OSError):
            self.record(role=_LEAVES, ended=n_ended, cut=n_cut)

    def clean(self) -> None:
        """Removes what dead servers left: only what is known to be theirs, for the folder may hold other
        things."""
        for folder in self.path.glob("server-*"):
            if folder.name[7:].isdecimal() and not _is_locked(folder):
                for name in ("record", "record.new", "handover.sock", "private.sock"):
                    (folder / name).unlink(missing_ok=True)
                shutil.rmtree(folder / "tmp", ignore_errors=True)
                with suppress(OSError):
                    folder.rmdir()

    def _server(self, pid: int, folder: Path) -> Server | None:
        is_seen = descriptor_of(pid, folder) is not None and folder_of(pid) == self._project
        if not is_seen and not _is_locked(folder):
            return None  # it ended just now
        return Server(pid, folder, _facts(folder / "record"), is_seen)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Locks the folder while a process looks for other servers and becomes one."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _facts(record: Path) -> dict[str, str]:
    lines = (line.partition(" ") for line in _text(record).splitlines())
    return {name: value for name, _, value in lines if value}


def _is_locked(path: Path) -> bool:
    """Whether another process holds it; for as long as it takes to see, this one does."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _text(file: Path) -> str:
    """The file's text, whichever user wrote it; empty where there is none."""
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""
