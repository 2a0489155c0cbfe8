"""The check of a checkpoint before the server starts: an engine's process looks at the files, and the server
waits for its result."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import cast

from glm_tts_api.contracts import Dtype
from glm_tts_api.engine.child import Begun
from glm_tts_api.errors import StartupError

OPTION = "--check"  # on the command line; the checkpoint's folder, device and dtype follow
EXIT_REFUSED = 2
_PASSED = b"\n"


def check(server: socket.socket, root: str, device: str, dtype: str) -> None:
    """Checks whether the checkpoint in the folder `root` can be served on `device` with `dtype`. If so, sends
    one byte through the socket `server`. If not, prints the reason to stderr and ends this process with
    EXIT_REFUSED."""
    from glm_tts_api.model.checkpoint import require_servable

    try:
        require_servable(Path(root), device=device, dtype=cast(Dtype, dtype))
    except StartupError as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(EXIT_REFUSED)
    with suppress(ConnectionError):  # the server has ended meanwhile
        server.sendall(_PASSED)


def refuses(begun: Begun) -> bool:
    """Waits until the process `begun`, which was started with OPTION, has checked its checkpoint or has
    ended. Returns True if the process has refused the checkpoint: it has then printed the reason and ended.
    Returns False if the checkpoint has passed, and also if the process has ended in another way."""
    return not begun.own.recv(len(_PASSED)) and begun.process.wait() == EXIT_REFUSED
