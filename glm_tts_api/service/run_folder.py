"""The run folder, which has the records of the servers that run here:

api_server.pid    the PID of the server that has the port
lock              held by a start, stop or restart while it works; has its PID
claims            held by a process while it becomes a server
cache             files that can be built again, see Settings.cache_dir
server-PID        the folder of one server, locked while the server lives; a copied folder is not locked
  record          a line for each fact: the server's address, how long its stop may take, its log file
  handover.sock   the socket through which a successor gets the port
  private.sock    the socket through which a successor is tested before it has the port
  tmp             the server's temporary files
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from psutil import Error, Process

from glm_tts_api.durable import locked, replace_file
from glm_tts_api.errors import AlreadyRunning
from glm_tts_api.processes import text_of

if TYPE_CHECKING:
    from glm_tts_api.settings import Settings

_TRIED, _SERVES, _LEAVES = "tried", "serves", "leaves"


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs, or ran a moment ago. `facts` are the lines of its record. `is_ours` says that this
    user may see its process and that it works in this project's folder."""

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
        """Returns a number of the record; `otherwise` if the record has none or it is no number. A damaged
        record must not keep a server from being stopped."""
        with suppress(KeyError, ValueError):
            return float(self.facts[name])
        return otherwise

    def again(self) -> Server:
        """Returns this server with the facts of its record as they are now, also if it has ended."""
        return Server(self.pid, self.folder, _facts(self.folder / "record"))

    def address(self, settings: Settings) -> tuple[str, int]:
        """Returns the host and the port of the server, or those of `settings` where its record has none."""
        return self.facts.get("host", settings.api_host), int(self.number("port", settings.port))

    def log_file(self, settings: Settings) -> Path:
        return Path(self.facts.get("log_file", settings.log_path))

    def __str__(self) -> str:
        return f"PID {self.pid}" + (f", port {self.facts['port']}" if "port" in self.facts else "")


class RunFolder:
    """The run folder `path`, which has the records of the servers that are started in the folder
    `project`."""

    def __init__(self, path: Path, project: Path) -> None:
        self.path = path.resolve()
        self.pid_file = self.path / "api_server.pid"
        self._project = project.resolve()

    @classmethod
    def of(cls, settings: Settings) -> RunFolder:
        return cls(settings.path(settings.run_dir), settings.root)

    def own(self, pid: int | None = None) -> Path:
        """Returns the folder of the server with this PID; None means this process."""
        return self.path / f"server-{pid or os.getpid()}"

    def servers(self) -> list[Server]:
        """Returns the servers that are running."""
        folders = (path for path in self.path.glob("server-*") if path.name[7:].isdecimal())
        found = {int(path.name[7:]): path for path in folders if _is_locked(path)}
        return [server for pid, folder in found.items() if (server := self._server(pid, folder))]

    def server(self) -> Server | None:
        """Returns the server that has the port; None if none has it. While the port is handed over, returns
        the server that gets it."""
        named = text_of(self.pid_file).split()[:1]
        found = (each for each in self.servers() if each.has_port)
        return min(found, key=lambda each: [str(each.pid)] != named, default=None)

    def claim(self, *, succeeds: bool = False) -> int:
        """Makes this process a server of this folder until the returned file descriptor is closed. If this
        process is a server of this folder already, returns the descriptor that it has, so that the claim
        outlives an exec.

        `succeeds` allows another server to run, which this process will replace. Raises AlreadyRunning if
        another server runs and `succeeds` is false, and OSError if the folder cannot be written.
        """
        if (held := self.claimed()) is not None:
            return held
        self.path.mkdir(0o700, parents=True, exist_ok=True)
        with locked(self.path / "claims"):
            others = self.servers()
            if others and not succeeds:
                raise AlreadyRunning(f"The server is already running ({self.server() or others[0]}).")
            self.clean()
            (self.own() / "tmp").mkdir(parents=True, exist_ok=True)
            self.record(role=_TRIED)
            descriptor = os.open(self.own(), os.O_RDONLY)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not succeeds:
                self.take_charge()
        return descriptor

    def claimed(self) -> int | None:
        """Returns the file descriptor that makes this process a server of this folder; None if it is not
        one."""
        return _descriptor_of("self", self.own())

    def record(self, **facts: object) -> None:
        """Adds facts to the record of this process, which is a server. `host`, `port` and `log_file` are the
        server's address and its log. `drain_s` is how many seconds its stop may take. `rolling_s` is how many
        seconds its stop may take after another server has taken its port.

        Raises OSError.
        """
        known: dict[str, object] = {**_facts(self.own() / "record"), **facts}
        lines = "".join(f"{name} {value}\n" for name, value in known.items())
        replace_file(self.own() / "record", lines.encode(errors="surrogateescape"))

    def take_charge(self) -> None:
        """Records that this process has the port from now on. Raises OSError."""
        self.record(role=_SERVES)
        replace_file(self.pid_file, f"{os.getpid()}\n".encode())

    def is_succeeded(self) -> bool:
        """Returns whether another server has taken the port of this process."""
        server = self.server()
        return server is not None and server.pid != os.getpid()

    def leave(self, *, n_ended: int, n_cut: int) -> None:
        """Records that this process ends: `n_ended` of its last answers were completed, and `n_cut` were cut
        or would be if the process ended now. Errors of the disk are ignored."""
        with suppress(OSError):
            self.record(role=_LEAVES, ended=n_ended, cut=n_cut)

    def clean(self) -> None:
        """Removes the files of servers that have ended. Only known files are removed, since the folder may
        have others."""
        for folder in self.path.glob("server-*"):
            if folder.name[7:].isdecimal() and not _is_locked(folder):
                for name in ("record", "record.new", "handover.sock", "private.sock"):
                    (folder / name).unlink(missing_ok=True)
                shutil.rmtree(folder / "tmp", ignore_errors=True)
                with suppress(OSError):
                    folder.rmdir()

    def _server(self, pid: int, folder: Path) -> Server | None:
        is_seen = False
        with suppress(Error):
            is_seen = Process(pid).cwd() == str(self._project) and _descriptor_of(pid, folder) is not None
        if not is_seen and not _is_locked(folder):
            return None  # the server has just ended
        return Server(pid, folder, _facts(folder / "record"), is_seen)


def _facts(record: Path) -> dict[str, str]:
    lines = (line.partition(" ") for line in text_of(record).splitlines())
    return {name: value for name, _, value in lines if value}


def _descriptor_of(pid: int | str, folder: Path) -> int | None:
    """Returns the descriptor under which the process `pid` has `folder` open. Returns None if it has none, or
    if this user may not see the process."""
    with suppress(OSError):
        wanted = folder.stat()
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                if os.path.samestat(link.stat(), wanted):
                    return int(link.name)
    return None


def _is_locked(path: Path) -> bool:
    """Returns whether another process has locked `path`; False if `path` cannot be opened. To find out, this
    process locks it for a moment."""
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
