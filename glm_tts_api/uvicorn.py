"""uvicorn, with a port that it can pass on, and a parent process that still listens while it waits for its
workers.

Run as `python -m glm_tts_api.uvicorn`; so named that `ps aux | grep uvicorn` finds it.
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property, partial
from typing import Any

from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.server import Server
from uvicorn.supervisors import Multiprocess, multiprocess

from glm_tts_api import handover, log_pipe
from glm_tts_api.http.connections import Connections
from glm_tts_api.http.listening import Listener
from glm_tts_api.run_folder import CLAIM_VARIABLE, SUCCEEDS_VARIABLE
from glm_tts_api.settings import Settings

logger = logging.getLogger("uvicorn.error")
_LOOK_EVERY_S = 0.2


class ListeningServer(Server):
    """Takes its connections by Listeners, which the app can close."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=[])
        if self.should_exit:  # told to end while it was loading
            return
        protocol: Any = self.config.http_protocol_class
        connect = partial(
            protocol, config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        connections: Connections = self.lifespan.state["connections"]
        listeners = [
            Listener(each, connect, backlog=self.config.backlog, may_take=connections.may_take)
            for each in sockets or []
        ]
        connections.come_in_by(listeners, self.server_state.connections)
        self.servers = listeners  # type: ignore[assignment]


class Worker(multiprocess.Process):
    """A worker process, with such a server."""

    signals: Sequence[int] = ()  # those that the parent has yet to look at

    @cached_property
    def server(self) -> Server:
        return ListeningServer(self.config)

    def ping(self, timeout: float = 5) -> bool:
        """Whether the worker gives a sign of life in time. A signal to the parent ends the wait: one worker
        that hangs must not keep the others from hearing of it."""
        deadline = time.monotonic() + timeout
        try:
            self.parent_conn.send(b"ping")
            while not self.parent_conn.poll(_LOOK_EVERY_S):
                if self.signals:
                    return True
                if time.monotonic() > deadline:
                    return False
            self.parent_conn.recv()
        except (OSError, EOFError):
            return False
        return True


class Supervisor(Multiprocess):
    """Ends its workers at once on SIGQUIT, or on SIGINT again: uvicorn's own would hear neither by then.

    Takes SIGHUP for SIGTERM, as its workers do. Sees at once that a worker has died.
    """

    n_interrupts = 0

    def __init__(self, config: Config, sockets: list[socket.socket]) -> None:
        ignores_hangup = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN  # by nohup
        super().__init__(config, sockets)
        Worker.signals = self.signal_queue
        if ignores_hangup:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def handle_hup(self) -> None:
        self.handle_term()

    def keep_subprocess_alive(self) -> None:
        for worker in self.processes:
            worker.child_conn.close()  # so that a worker that dies ends its pipe, and its parent's wait on it
        super().keep_subprocess_alive()

    def join_all(self) -> None:
        for worker in self.processes:
            while worker.process.is_alive():
                heard, self.signal_queue[:] = list(self.signal_queue), []
                for number in heard:
                    if number == signal.SIGINT:
                        self.handle_int()
                    elif number == signal.SIGQUIT:
                        self.handle_quit()
                worker.process.join(0.2)
        super().join_all()

    def handle_int(self) -> None:
        self.n_interrupts += 1
        if self.n_interrupts > 1:
            self.handle_quit()
        self.should_exit.set()

    def handle_quit(self) -> None:
        self.should_exit.set()
        for worker in self.processes:
            if worker.process.is_alive() and worker.pid is not None:
                os.kill(worker.pid, signal.SIGQUIT)


def run(app: str, *, app_dir: str | None = None, **options: Any) -> None:
    """What uvicorn's command line calls."""
    if app_dir is not None:
        sys.path.insert(0, app_dir)
    config = Config(app, **options)
    try:
        listeners = _listeners(config)
    except OSError as error:
        logger.error("%s", error)
        sys.exit(STARTUP_FAILURE)
    if config.workers == 1:
        config.load_app()  # sets up the log
    logger.info("Uvicorn running on http://%s:%d (Press CTRL+C to quit)", config.host, config.port)
    if config.workers > 1:
        multiprocess.Process = Worker  # type: ignore[misc]
        Supervisor(config, sockets=listeners).run()
        return
    server = ListeningServer(config)
    with suppress(KeyboardInterrupt):
        server.run(sockets=listeners)
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def _listeners(config: Config) -> list[socket.socket]:
    """The sockets of the server that this one succeeds, or new ones; both are for the next one to have."""
    if SUCCEEDS_VARIABLE in os.environ:
        folder = Settings.load().run_folder
        claim, listeners = handover.take(folder.predecessor / "handover.sock")
    else:
        listeners = handover.listen(config.host, config.port)
        if CLAIM_VARIABLE not in os.environ:  # nobody looks after this server by way of a run folder
            return listeners
        folder, claim = Settings.load().run_folder, int(os.environ[CLAIM_VARIABLE])
    handover.offer(folder.generation / "handover.sock", claim, listeners)
    return listeners


if __name__ == "__main__":
    log_pipe.keep_output_going()
    uvicorn = importlib.import_module("uvicorn.main")
    uvicorn.run = run  # type: ignore[attr-defined]
    uvicorn.main()
