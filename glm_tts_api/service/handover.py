"""How a server that runs passes its port on to its successor: the listening sockets themselves go over a Unix
socket.

The sockets stay open all the while, so a connection that waits in their queue is never reset. With a second
socket on the same port (SO_REUSEPORT) it would be: the kernel resets the queue of the socket that closes.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_MOST = 64  # descriptors
_LIMIT_S = 10.0


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets bound to each address of `host`, as asyncio would make them. Raises OSError."""
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    addresses = {(family, address): (kind, protocol) for family, kind, protocol, _, address in found}
    listeners = []
    for (family, address), (kind, protocol) in addresses.items():
        # Without the protocol asyncio sets no TCP_NODELAY: each answer on a kept connection comes 40 ms late.
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and len(addresses) > 1:  # alone, it may take IPv4 as well
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listeners.append(listener)
    return listeners


def offer(path: Path, listeners: list[socket.socket]) -> None:
    """Passes copies to every process of this user that connects to the Unix socket `path`, for as long as
    this process lives."""
    door = private_socket(path)
    door.listen()
    descriptors = [os.dup(listener.fileno()) for listener in listeners]

    def serve() -> None:
        while True:
            successor, _ = door.accept()
            with successor, suppress(OSError):  # it has left
                socket.send_fds(successor, [b"."], descriptors)

    threading.Thread(target=serve, name="handover", daemon=True).start()


def take(path: Path) -> list[socket.socket]:
    """The listening sockets of the server that offers them at `path`. Raises OSError."""
    with socket.socket(socket.AF_UNIX) as predecessor, short_path(path) as short:
        predecessor.settimeout(_LIMIT_S)
        predecessor.connect(short)
        _, descriptors, _, _ = socket.recv_fds(predecessor, 1, _MOST)
    return [socket.socket(fileno=descriptor) for descriptor in descriptors]


def private_socket(path: Path) -> socket.socket:
    """A Unix socket bound to `path`, which only this user may use. Raises OSError."""
    path.unlink(missing_ok=True)
    private = socket.socket(socket.AF_UNIX)
    with short_path(path) as short:
        private.bind(short)
    path.chmod(0o600)
    return private


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Another name of `path` while it lasts: a Unix socket's may have 107 bytes."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
