"""uvicorn, with a port that it can pass on.

Run as `python -m glm_tts_api.uvicorn`; so named that `ps aux | grep uvicorn` finds it.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import socket
import sys
from contextlib import suppress
from functools import partial
from typing import Any

from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.server import Server

from glm_tts_api import handover, log_pipe
from glm_tts_api.http.connections import Connections
from glm_tts_api.run_folder import CLAIM_VARIABLE, SUCCEEDS_VARIABLE
from glm_tts_api.settings import Settings

logger = logging.getLogger("uvicorn.error")


class ListeningServer(Server):
    """Takes connections once the app has started, unless it was told to end by then; the app can close the
    listeners."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=[])
        if self.should_exit:
            return
        protocol: Any = self.config.http_protocol_class
        connect = partial(
            protocol, config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        loop, backlog = asyncio.get_running_loop(), self.config.backlog
        self.servers = [
            await loop.create_server(connect, sock=each, backlog=backlog) for each in sockets or []
        ]
        connections: Connections = self.lifespan.state["connections"]
        connections.come_in_by(self.servers, self.server_state.connections)


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
    config.load_app()  # sets up the log
    logger.info("Uvicorn running on http://%s:%d (Press CTRL+C to quit)", config.host, config.port)
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
