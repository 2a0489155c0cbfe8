"""The commands start, stop and status of the server, and checks that they share with restart."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path

from glm_tts_api.errors import AlreadyRunning, Failed, StartupError
from glm_tts_api.processes import family
from glm_tts_api.service.client import Client
from glm_tts_api.service.output import Step, say, user
from glm_tts_api.service.run_folder import RunFolder, Server
from glm_tts_api.service.stopping import MARGIN_S, Ending, last_lines
from glm_tts_api.service.verify import DEMONSTRATION, model_line
from glm_tts_api.settings import Settings

_NOT_RUNNING = 3
_LOOKS = 5


def start() -> int:
    """Replaces this process by the server, which runs in the foreground. Returns never. Raises AlreadyRunning
    if a server runs here, and StartupError."""
    settings = loaded()
    folder = RunFolder.of(settings)
    require_visible(folder, AlreadyRunning)
    if servers := folder.servers():
        raise AlreadyRunning(
            f"The server is already running ({folder.server() or servers[0]}). bash restart_api.sh replaces "
            "it, bash scripts/stop_api.sh stops it."
        )
    with locked(folder):
        require_log(settings.log_path)
        os.set_inheritable(folder.claim(), True)
    os.execv(sys.executable, [sys.executable, "-m", "glm_tts_api", "serve"])


def stop(*, now: bool) -> int:
    """Stops the server and returns the exit code 0, also if no server runs. The server gets the DRAIN_TIMEOUT
    that it was started with to answer accepted requests, or the DRAIN_TIMEOUT of this command's environment
    if that is shorter. With `now` it gets no time. Raises Failed if a process cannot be stopped."""
    settings = loaded()
    patience_s = settings.drain_timeout if os.environ.get("DRAIN_TIMEOUT") else None
    with locked(RunFolder.of(settings)), Step("Stopping our running server") as step:
        stop_all(settings, step, 0 if now else patience_s)
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


def status() -> int:
    """Prints the server's processes, its log file, its health and its lanes. Returns an exit code: 0, or 3 if
    no server runs. Raises Failed unless the server is healthy."""
    settings = loaded()
    folder = RunFolder.of(settings)
    require_visible(folder, Failed)
    servers = folder.servers()
    if not servers:
        say(f"The server does not run (looked for: RUN_DIR={folder.path}).", sys.stderr)
        return _NOT_RUNNING
    server = folder.server() or servers[0]
    lines = [process.shown for each in servers for process in family(each.pid)]
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
    answer = client.get("/api/v1/health")
    health = answer.json()
    if not health:
        raise Failed(f"No answer at {client.url}: {answer.body.decode(errors='replace')}")
    say(f"Health: {health['status']}, up {health['uptime_s']:.0f} s, {model_line(health)}")
    for warning in health.get("warnings", []):
        say(f"WARNING: {warning}")
    stats = client.get("/api/v1/stats/concurrency")
    if stats.status == 200:
        lanes, workers = stats.json()["stats"], [worker["ready"] for worker in stats.json()["per_worker"]]
        say(f"Workers: {sum(workers)} of {stats.json()['config']['workers']} ready")
        for name, lane in lanes.items():
            taken = f"{lane['active']} of {lane['limit']} active, {lane['waiting']} waiting"
            say(f"{name}: {taken}, {lane['total']} admitted")
    else:
        say(f"No figures: {stats.why}")
    if health.get("demonstration"):
        say(DEMONSTRATION)
    if answer.status != 200:
        raise Failed(f"The server is {health['status']}: {health.get('cause') or 'try again shortly'}")


def loaded() -> Settings:
    """Returns the settings, and prints the warnings about them."""
    settings = Settings.load()
    settings.print_warnings()
    return settings


@contextmanager
def locked(folder: RunFolder, *, needs_room: bool = False) -> Iterator[int]:
    """Holds the run folder's lock inside the `with` block and yields the lock's file descriptor, so that only
    one start, stop or restart works at a time. Raises AlreadyRunning where another one works, and
    StartupError where the folder cannot be written. With `needs_room` a full disk raises StartupError too."""
    try:
        folder.path.mkdir(0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder.path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StartupError(
            f"RUN_DIR={folder.path}: user {user()} cannot write there ({error.strerror}); choose another "
            "RUN_DIR, or run this as the user to whom it belongs."
        ) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(descriptor, 20).decode(errors="replace").strip()
            raise AlreadyRunning(
                f"Another start, stop or restart (PID {holder}) is at work in {folder.path}. Let it end, or "
                "end it with Ctrl-C or kill."
            ) from None
        try:
            os.write(descriptor, f"{os.getpid()}\n".encode())
            os.truncate(descriptor, os.lseek(descriptor, 0, os.SEEK_CUR))
        except OSError:
            if needs_room:  # without it the error is ignored: a server can be stopped on a full disk
                raise StartupError(
                    f"RUN_DIR={folder.path}: nothing can be written there, is the disk full? Make room, or "
                    "choose another RUN_DIR."
                ) from None
        yield descriptor
    finally:
        os.close(descriptor)


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


def require_log(log: Path) -> None:
    """Raises StartupError if the file LOG_FILE, which is `log`, cannot be written."""
    if log.is_dir():
        raise StartupError(f"LOG_FILE={log}: is a folder; name a file in it.")
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.open("ab").close()
    except OSError as error:
        raise StartupError(
            f"LOG_FILE={log}: user {user()} cannot write it ({error.strerror}); choose another place."
        ) from None


def listens_elsewhere(server: Server, settings: Settings) -> list[str]:
    """Returns a list with one sentence for the user if the running server listens on another host or port
    than the settings name now; else an empty list."""
    there, now = server.address(settings), (settings.api_host, settings.port)
    if there == now:
        return []
    return [f"The running server listens on {there[0]} port {there[1]} (set now: {now[0]} port {now[1]})."]
