"""The server's process, so named that `ps aux | grep uvicorn | grep api_server` finds it:

    python -m glm_tts_api.serving uvicorn glm_tts_api.api_server:app [--host HOST] [--port N] [--check]
        [--succeed PID | --private PID DESCRIPTOR]

One that `glm-tts serve` has become has a run folder, writes its log file and can pass its port on. With
--succeed it listens on a private Unix socket, until SIGUSR1 tells it to take the port of the server PID. With
--private it listens on the socket DESCRIPTOR, and ends with the process PID, which began it. With --check it
ends, with exit code 2, where the checkpoint cannot be served.

Engines import PyTorch, and the checkpoint is checked, while this process imports the app.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any, NoReturn

from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE

from glm_tts_api.engine.child import COMMAND, Begun
from glm_tts_api.errors import StartupError
from glm_tts_api.http.connections import Connection, Connections
from glm_tts_api.http.listening import Listener
from glm_tts_api.logs import configure_logging
from glm_tts_api.service import handover, log_pipe
from glm_tts_api.service.processes import end_with_parent
from glm_tts_api.service.run_folder import RunFolder
from glm_tts_api.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

_APP = "glm_tts_api.api_server:app"
_CHECK = (sys.executable, "-m", "glm_tts_api", "check", "checkpoint")
_OPTIONS: dict[str, Any] = {
    "http": Connection,
    "backlog": 256,
    "h11_max_incomplete_event_size": 2**16,  # of a head, whose address may hold a text
    "loop": "asyncio",  # also where the extra cluster has brought uvloop
    # A ping waits behind the audio that a client has yet to take: its time says nothing of the client.
    "ws_ping_interval": 0.0,
    "ws_per_message_deflate": False,  # audio does not shrink
    "ws_max_size": 2**20,
    "timeout_graceful_shutdown": 5,  # seconds for connections that stay open after the drain
}
logger = logging.getLogger("uvicorn.error")


def become_server(settings: Settings, succeeds: int | None, *, checks: bool) -> NoReturn:
    """Gives this process, which has claimed the run folder, to the server, which `checks` the checkpoint."""
    folder = settings.run_folder
    drain_s, rolling_s = map(ceil, settings.stop_timeouts)
    log_file = settings.path(settings.log_file)
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
    """uvicorn's server on a port that it can pass on. SIGUSR1 has it take that of the server `succeeds`."""

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
        """Takes connections by these; the app can close them."""
        protocol: Any = self.config.http_protocol_class
        connect = partial(
            protocol, config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        connections: Connections = self.lifespan.state["connections"]
        listeners = [Listener(each, connect, backlog=self.config.backlog) for each in sockets]
        connections.come_in_by(listeners, self.server_state.connections)
        self.servers = listeners  # type: ignore[assignment]

    def _succeed(self, predecessor: int) -> None:
        """Gets the port of the predecessor, which then ends when its clients have left."""
        private = self.servers
        try:
            listeners = handover.take(self._folder.own(predecessor) / "handover.sock")
        except OSError:  # it has ended meanwhile
            listeners = handover.listen(self.config.host, self.config.port)
        handover.offer(self._folder.own() / "handover.sock", listeners)
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
            return  # it had ended before
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # a shell ignores it for what it runs in the background
    try:
        settings = Settings.load()
        folder = settings.run_folder
        claim = folder.claimed()
        checking = subprocess.Popen(_CHECK) if arguments.check else None
        if claim is not None:
            os.set_inheritable(claim, False)
            log_pipe.write_into(
                settings.path(settings.log_file),
                as_json=settings.log_format == "json",
                max_bytes=int(settings.log_max_mb * 2**20),
            )
    except StartupError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    config = Config(arguments.app, host=arguments.host, port=arguments.port, **_OPTIONS)
    if arguments.app == _APP:
        config.app = _app(settings)
    if checking is not None and checking.wait():
        sys.exit(checking.returncode)
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


def _app(settings: Settings) -> FastAPI:
    """Engines begin first: they import while this process does. Sets up the log."""
    engines: list[Begun] = []
    with suppress(OSError):  # no memory, no more processes: EngineClient tries again, and says so
        engines += (Begun.of(COMMAND) for _ in range(settings.workers))
    from glm_tts_api.api_server import create_app, engine_process

    configure_logging(as_json=settings.log_format == "json", with_texts=settings.log_text)
    return create_app(settings, build_engine=partial(engine_process, begun=engines))


def _listeners(config: Config, folder: RunFolder, arguments: argparse.Namespace) -> list[socket.socket]:
    if arguments.private:
        return [socket.socket(fileno=arguments.private[1])]
    if arguments.succeed is not None:
        return [handover.private_socket(folder.own() / "private.sock")]
    listeners = handover.listen(config.host, config.port)
    if folder.claimed() is not None:
        handover.offer(folder.own() / "handover.sock", listeners)
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
