"""Passes the port of a running server on to its successor: the listening sockets themselves are sent over a
Unix socket.

The sockets stay open all the time, so no connection that waits in their backlog is reset. A second socket on
the same port (SO_REUSEPORT) would not do: the kernel resets the backlog of the socket that closes.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_MOST = 64  # descriptors that `take` accepts
_LIMIT_S = 10.0


def listen(host: str, port: int) -> list[socket.socket]:
    """Returns sockets bound to each address of `host` at `port`, with the options that asyncio sets. The
    sockets do not listen yet. Raises OSError."""
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    addresses = {(family, address): (kind, protocol) for family, kind, protocol, _, address in found}
    listeners = []
    for (family, address), (kind, protocol) in addresses.items():
        # Without the protocol asyncio sets no TCP_NODELAY: each answer on a kept connection comes 40 ms late.
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and len(addresses) > 1:  # a single IPv6 socket may accept IPv4 as well
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listeners.append(listener)
    return listeners


def offer(path: Path, listeners: list[socket.socket]) -> None:
    """Starts a thread that sends copies of the sockets `listeners` to every process of this user that
    connects to the Unix socket `path`. The thread runs until this process ends. Raises OSError."""
    door = private_socket(path)
    door.listen()
    descriptors = [os.dup(listener.fileno()) for listener in listeners]

    def serve() -> None:
        while True:
            successor, _ = door.accept()
            with successor, suppress(OSError):  # the successor has closed the connection
                socket.send_fds(successor, [b"."], descriptors)

    threading.Thread(target=serve, name="handover", daemon=True).start()


def take(path: Path) -> list[socket.socket]:
    """Returns the listening sockets of the server that offers them at the Unix socket `path`. Raises OSError,
    also if the server does not send the sockets within 10 seconds."""
    with socket.socket(socket.AF_UNIX) as predecessor, short_path(path) as short:
        predecessor.settimeout(_LIMIT_S)
        predecessor.connect(short)
        _, descriptors, _, _ = socket.recv_fds(predecessor, 1, _MOST)
    return [socket.socket(fileno=descriptor) for descriptor in descriptors]


def private_socket(path: Path) -> socket.socket:
    """Returns a Unix socket bound to `path`, to which only this user may connect. An existing file there is
    removed. Raises OSError."""
    path.unlink(missing_ok=True)
    private = socket.socket(socket.AF_UNIX)
    with short_path(path) as short:
        private.bind(short)
    path.chmod(0o600)
    return private


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Yields a short name of `path` that is valid inside the `with` block, since the name of a Unix socket
    has at most 107 bytes."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
