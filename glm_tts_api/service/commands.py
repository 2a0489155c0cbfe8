"""The commands start, stop and status of the server, and what they share with restart."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from argparse import Namespace
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import BinaryIO

from psutil import AccessDenied, NoSuchProcess, Process

from glm_tts_api.errors import AlreadyRunning, Failed, StartupError
from glm_tts_api.processes import family, is_alive, shown
from glm_tts_api.service.client import Client, json_of, required
from glm_tts_api.service.log_writer import opened
from glm_tts_api.service.output import Step, say
from glm_tts_api.service.run_folder import RunFolder, Server
from glm_tts_api.service.verify import model_line, say_notice
from glm_tts_api.settings import Settings

_NOT_RUNNING = 3
MARGIN_S = 15.0  # added to the time to drain, for the last answers and for freeing the model
_KILL_WAIT_S = 15.0
_LOOKS = 5


def start(arguments: Namespace) -> int:
    """Makes this process the server, which runs in the foreground, by `arguments.serve`. Raises
    AlreadyRunning if a server runs here, and StartupError."""
    settings = Settings.load(warns=True)
    folder = RunFolder.of(settings)
    require_visible(folder, AlreadyRunning)
    if servers := folder.servers():
        raise AlreadyRunning(
            f"The server is already running ({folder.server() or servers[0]}). bash restart_api.sh replaces "
            "it, bash scripts/stop_api.sh stops it."
        )
    with locked(folder):
        opened(settings.log_path).close()
        folder.claim()
    return int(arguments.serve(arguments))


def stop(arguments: Namespace) -> int:
    """Stops the server and returns the exit code 0, also if no server runs. The server gets the DRAIN_TIMEOUT
    that it was started with to answer accepted requests, or the DRAIN_TIMEOUT of this command's environment
    if that is shorter. With --now it gets no time. Raises Failed if a process cannot be stopped."""
    settings = Settings.load(warns=True)
    patience_s = settings.drain_timeout if os.environ.get("DRAIN_TIMEOUT") else None
    with locked(RunFolder.of(settings)), Step("Stopping our running server") as step:
        stop_all(settings, step, 0 if arguments.now else patience_s)
    return 0


def stop_all(settings: Settings, step: Step, patience_s: float | None = None) -> list[int]:
    """Stops every server of the run folder and removes their records. Notes the progress in `step`. A server
    gets at most `patience_s` seconds to answer its requests; None gives it its own drain time. Returns the
    PIDs of the processes that ran."""
    folder = RunFolder.of(settings)
    require_visible(folder, Failed)
    servers = folder.servers()
    stopped: list[int] = []
    if servers:
        drain_s = max(ceil(each.number("drain_s", settings.drain_timeout)) for each in servers)
        is_short = patience_s is not None and patience_s < drain_s
        ending = Ending(servers, step, servers[0].log_file(settings))
        for line in [*ending.processes.values(), *listens_elsewhere(servers[0], settings)]:
            step.note(line)
        ending.end(
            ceil(patience_s or 0) if is_short else drain_s + MARGIN_S, "accepted requests to be answered"
        )
        stopped = [process.pid for process in ending.processes]
    step.note("stopped" if servers else "none is running")
    folder.pid_file.unlink(missing_ok=True)
    folder.clean()
    return stopped


class Ending:
    """Stops `servers`, whose log is `log`, and shows the progress in `step`. `processes` has the servers'
    processes with a description of each, also of those that have ended."""

    def __init__(self, servers: Iterable[Server], step: Step, log: Path) -> None:
        self._pids = [server.pid for server in servers]
        self._step = step
        self._log = log
        self.processes: dict[Process, str] = {}
        self._left()

    def end(self, patience_s: float, what: str) -> None:
        """Sends SIGTERM and waits `patience_s` seconds. Then sends SIGQUIT, which answers the remaining
        requests with 503, and waits 15 seconds; then SIGKILL. Returns as soon as all processes have ended.
        The parameter `what` names the event that is waited for, for the user. Raises Failed if processes are
        left even after SIGKILL."""
        if self._is_over(signal.SIGTERM, patience_s, f"waiting for {what}, {patience_s:g} s at most"):
            return
        self._step.note(f"after {patience_s:g} s: ending now; the requests that are left are answered 503")
        if self._is_over(signal.SIGQUIT, MARGIN_S, "ending"):
            return
        killed = [self.processes[each] for each in self._left()]
        lines = [f"| {line[:300]}" for line in last_lines(self._log, 5)]
        head = f"still there after {MARGIN_S:g} s, ended by SIGKILL:"
        for line in (head, *killed, f"last lines of {self._log}:", *lines):
            self._step.note(line)
        if not self._is_over(signal.SIGKILL, _KILL_WAIT_S, "waiting for killed processes to leave"):
            raise Failed(f"Not even SIGKILL ended: {' '.join(str(each.pid) for each in self._left())}")

    def _is_over(self, number: signal.Signals, limit_s: float, what: str) -> bool:
        """Sends the signal to the servers and waits until all processes are gone. Returns False if some are
        left after `limit_s` seconds. Only SIGKILL is sent to the servers' child processes too, since these
        end with their server unless they hang."""
        self._step.doing(what)
        for process in self._left():
            if number == signal.SIGKILL or process.pid in self._pids:
                try:
                    process.send_signal(number)
                except AccessDenied:
                    raise Failed(
                        f"PID {process.pid} belongs to user {process.username()}: not stopped."
                    ) from None
                except NoSuchProcess:
                    pass
        deadline = time.monotonic() + limit_s
        while self._left():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def _left(self) -> list[Process]:
        for pid in self._pids:
            self.processes.update((each, shown(each)) for each in family(pid) if each not in self.processes)
        return [each for each in self.processes if is_alive(each)]


def last_lines(log: Path, n: int) -> list[str]:
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 1000 * n))
            return file.read().decode(errors="replace").splitlines()[-n:]
    except OSError:
        return []


def status(_: Namespace) -> int:
    """Prints the server's processes, its log file, its health and its lanes. Returns an exit code: 0, or 3 if
    no server runs. Raises Failed unless the server is healthy."""
    settings = Settings.load(warns=True)
    folder = RunFolder.of(settings)
    require_visible(folder, Failed)
    servers = folder.servers()
    if not servers:
        say(f"The server does not run (looked for: RUN_DIR={folder.path}).", sys.stderr)
        return _NOT_RUNNING
    server = folder.server() or servers[0]
    lines = [shown(process) for each in servers for process in family(each.pid)]
    lines += [_beside(each, server) for each in servers if each != server]
    say("\n  ".join(["Processes:", *lines, *listens_elsewhere(server, settings)]))
    log = server.log_file(settings)
    say(f"Log: {log}")
    host, port = server.address(settings)
    try:
        _say_how_it_is(Client(host, port, settings.key))
    except Failed:
        say("\n  | ".join(["Last lines of the log:", *last_lines(log, 5)]))
        raise
    return 0


def _beside(other: Server, server: Server) -> str:
    if other.is_tried:
        return (
            f"A rolling restart is at work: PID {other.pid} has yet to prove itself, PID {server.pid} serves."
        )
    return (
        f"PID {server.pid} has the port; PID {other.pid} answers the clients that are left to it, and ends."
    )


def _say_how_it_is(client: Client) -> None:
    """Prints the health and the lanes that the server reports. Raises Failed unless the server is healthy."""
    answer = client.ask("/api/v1/health")
    health = json_of(answer)
    if not health:
        raise Failed(f"No answer at {client.url}: {answer.text}")
    say(f"Health: {health['status']}, up {health['uptime_s']:.0f} s, {model_line(health)}")
    for warning in health.get("warnings", []):
        say(f"WARNING: {warning}")
    try:
        stats = required(client.ask("/api/v1/stats/concurrency"), "No figures").json()
    except Failed as failure:
        say(str(failure))
    else:
        ready = sum(worker["ready"] for worker in stats["per_worker"])
        say(f"Workers: {ready} of {stats['config']['workers']} ready")
        for name, lane in stats["stats"].items():
            taken = f"{lane['active']} of {lane['limit']} active, {lane['waiting']} waiting"
            say(f"{name}: {taken}, {lane['total']} admitted")
    say_notice(health)
    if answer.status_code != 200:
        raise Failed(f"The server is {health['status']}: {health.get('cause') or 'try again shortly'}")


@contextmanager
def locked(folder: RunFolder, *, needs_room: bool = False) -> Iterator[BinaryIO]:
    """Holds the run folder's lock inside the `with` block and yields the lock file, so that only one start,
    stop or restart works at a time. Raises AlreadyRunning where another one works, and
    StartupError where the folder cannot be written. With `needs_room` a full disk raises StartupError too."""
    try:
        folder.path.mkdir(0o700, parents=True, exist_ok=True)
        file = (folder.path / "lock").open("a+b", buffering=0)
    except OSError as error:
        raise StartupError(
            f"RUN_DIR={folder.path}: user {Process().username()} cannot write there ({error.strerror}); "
            "choose another RUN_DIR, or run this as the user to whom it belongs."
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read(20).decode(errors="replace").strip()
            raise AlreadyRunning(
                f"Another start, stop or restart (PID {holder}) is at work in {folder.path}. Let it end, or "
                "end it with Ctrl-C or kill."
            ) from None
        try:
            file.truncate(0)
            file.write(f"{os.getpid()}\n".encode())
        except OSError:
            if needs_room:  # without it the error is ignored: a server can be stopped on a full disk
                raise StartupError(
                    f"RUN_DIR={folder.path}: nothing can be written there, is the disk full? Make room, or "
                    "choose another RUN_DIR."
                ) from None
        yield file


def require_visible(folder: RunFolder, error: type[Exception]) -> None:
    """Raises `error` if a server runs in this folder that this user may not see, or that was started from
    another project folder."""
    for _ in range(_LOOKS):  # a server that starts or ends just now looks hidden for a moment
        hidden = [server for server in folder.servers() if not server.is_ours]
        if not hidden:
            return
        time.sleep(0.2)
    raise error(
        f"The server that runs here (PID {hidden[0].pid}, {folder.path}) belongs to another user or to "
        "another project folder; only there, and as that user, can it be looked at or stopped."
    )


def listens_elsewhere(server: Server, settings: Settings) -> list[str]:
    """Returns a list with one sentence for the user if the running server listens on another host or port
    than the settings name now; else an empty list."""
    there, now = server.address(settings), (settings.api_host, settings.port)
    if there == now:
        return []
    return [f"The running server listens on {there[0]} port {there[1]} (set now: {now[0]} port {now[1]})."]
