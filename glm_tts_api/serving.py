"""Runs the server's process. Its command line lets `ps aux | grep uvicorn | grep api_server` find it:

    python -m glm_tts_api.serving uvicorn glm_tts_api.api_server:app [--host HOST] [--port N] [--check]
        [--succeed PID | --private PID DESCRIPTOR]

A process that `glm-tts serve` started has a run folder, writes its log file and can pass its port on. With
--succeed the process listens on a private Unix socket, until SIGUSR1 tells it to take over the port of the
server PID. With --private it listens on the socket of the file descriptor DESCRIPTOR, and ends when its
parent process PID ends. With --check it ends with exit code 2 if its first engine finds that the checkpoint
cannot be served.

The engine processes import PyTorch while this process imports the app.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any, NoReturn

from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE

from glm_tts_api.engine.child import CHECK, COMMAND, EXIT_REFUSED, Spawned
from glm_tts_api.errors import StartupError
from glm_tts_api.http.connections import Connection, Connections
from glm_tts_api.http.listening import Listener
from glm_tts_api.logs import configure_logging
from glm_tts_api.processes import end_with_parent, importing
from glm_tts_api.service import log_writer, port
from glm_tts_api.service.run_folder import RunFolder
from glm_tts_api.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

_APP = "glm_tts_api.api_server:app"
_OPTIONS: dict[str, Any] = {
    "http": Connection,
    "backlog": 256,
    "h11_max_incomplete_event_size": 2**16,  # bytes of a request's head, whose URL may hold a text
    "loop": "asyncio",  # also if the extra `cluster` has installed uvloop
    # A ping waits until the client has read the audio before it, so a late pong does not mean a lost client.
    "ws_ping_interval": 0.0,
    "ws_per_message_deflate": False,  # audio does not shrink
    "ws_max_size": 2**20,
    "timeout_graceful_shutdown": 5,  # seconds for connections that stay open after the drain
}
logger = logging.getLogger("uvicorn.error")


def become_server(settings: Settings, succeeds: int | None, *, checks: bool) -> NoReturn:
    """Records the server's facts in the run folder, which this process has claimed, and replaces this process
    by the server's process (execve). `succeeds` is the PID of the server whose port the new server takes
    over; None if there is none. `checks` makes the new server check its checkpoint first."""
    folder = RunFolder.of(settings)
    drain_s, rolling_s = map(ceil, settings.stop_timeouts)
    log_file = settings.log_path
    folder.record(
        host=settings.api_host, port=settings.port, drain_s=drain_s, rolling_s=rolling_s, log_file=log_file
    )
    command = [sys.executable, "-m", "glm_tts_api.serving", "uvicorn", _APP]
    command += ["--host", settings.api_host, "--port", str(settings.port)]
    command += [] if succeeds is None else ["--succeed", str(succeeds)]
    command += ["--check"] * checks
    own = {"TMPDIR": str(folder.own() / "tmp"), "PYTHONUNBUFFERED": "1"}
    os.execve(sys.executable, command, {**os.environ, **own})


class PortServer(Server):
    """A uvicorn server that can pass its port on to another server. If `succeeds` is set, SIGUSR1 makes this
    server take over the port of the server with that PID."""

    def __init__(self, config: Config, folder: RunFolder, succeeds: int | None) -> None:
        super().__init__(config)
        self._folder = folder
        self._succeeds = succeeds

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=[])
        if self.should_exit:  # told to end while it was loading
            return
        self._listen(sockets or [])
        if self._succeeds is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self._succeed, self._succeeds)

    def _listen(self, sockets: list[socket.socket]) -> None:
        """Starts to accept connections on `sockets`. The app can close them through its `connections`."""
        protocol: Any = self.config.http_protocol_class
        connect = partial(
            protocol, config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        connections: Connections = self.lifespan.state["connections"]
        listeners = [Listener(each, connect, backlog=self.config.backlog) for each in sockets]
        connections.listeners, connections.open = listeners, self.server_state.connections
        self.servers = listeners  # type: ignore[assignment]

    def _succeed(self, predecessor: int) -> None:
        """Takes over the port of the server whose PID is `predecessor`, or opens the port if that server has
        ended. Tells that server to end when its clients have left."""
        private = self.servers
        try:
            listeners = port.take(self._folder.own(predecessor) / "handover.sock")
        except OSError:  # the predecessor has ended meanwhile
            listeners = port.listen(self.config.host, self.config.port)
        port.offer(self._folder.own() / "handover.sock", listeners)
        self._listen(listeners)
        self._folder.take_charge()
        for each in private:
            each.close()
        with suppress(ProcessLookupError):
            os.kill(predecessor, signal.SIGTERM)


def main() -> None:
    arguments = _parse()
    if arguments.private:
        end_with_parent()
        if os.getppid() != arguments.private[0]:
            return  # the parent had ended before
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # shells start background processes with it ignored
    try:
        settings = Settings.load()
        folder = RunFolder.of(settings)
        claim = folder.claimed()
        if claim is not None:
            os.set_inheritable(claim, False)
            log_writer.write_into(settings.log_path, as_json=settings.log_format == "json")
    except StartupError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    config = Config(arguments.app, host=arguments.host, port=arguments.port, **_OPTIONS)
    if arguments.app == _APP:
        config.app = _app(settings, checks=arguments.check)
    try:
        listeners = _listeners(config, folder, arguments)
    except OSError as error:
        print(error, file=sys.stderr)
        sys.exit(STARTUP_FAILURE)
    config.load_app()
    logger.info("Uvicorn running on http://%s:%d (Press CTRL+C to quit)", config.host, config.port)
    server = PortServer(config, folder, arguments.succeed)
    with suppress(KeyboardInterrupt):
        server.run(sockets=listeners)
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def _app(settings: Settings, *, checks: bool) -> FastAPI:
    """Starts the engine processes, then imports the app while they import PyTorch, sets up the log, and makes
    the app. With `checks`, ends this process if the first engine refuses the checkpoint."""
    engines: list[Spawned] = []
    check = (CHECK, str(settings.checkpoint_dir), settings.device, settings.dtype)
    with suppress(OSError):  # no memory or no more processes: EngineClient tries again and reports it
        engines.append(Spawned.of([*COMMAND, *check] if checks else COMMAND))
        engines += (Spawned.of(COMMAND) for _ in range(settings.workers - 1))
    with importing():
        from glm_tts_api.api_server import create_app, engine_process
    if checks and engines and engines[0].refuses():
        sys.exit(EXIT_REFUSED)
    configure_logging(as_json=settings.log_format == "json", with_texts=settings.log_text)
    return create_app(settings, build_engine=partial(engine_process, spawned=engines))


def _listeners(config: Config, folder: RunFolder, arguments: argparse.Namespace) -> list[socket.socket]:
    if arguments.private:
        return [socket.socket(fileno=arguments.private[1])]
    if arguments.succeed is not None:
        return [port.private_socket(folder.own() / "private.sock")]
    listeners = port.listen(config.host, config.port)
    if folder.claimed() is not None:
        port.offer(folder.own() / "handover.sock", listeners)
    return listeners


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m glm_tts_api.serving")
    parser.add_argument("server", choices=["uvicorn"])
    parser.add_argument("app")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--succeed", type=int)
    parser.add_argument("--private", type=int, nargs=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
