"""Opens the port of a server, says which process has a port, and passes the port of a running server on to
its successor: the listening sockets themselves are sent over a Unix socket.

The sockets stay open all the time, so no connection that waits in their backlog is reset. A second socket on
the same port (SO_REUSEPORT) would not do: the kernel resets the backlog of the socket that closes.
"""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from glm_tts_api.errors import StartupError
from glm_tts_api.processes import command_of

_MOST = 64  # descriptors that `take` accepts
_LIMIT_S = 10.0


def check_port(host: str, port: int) -> None:
    """Raises StartupError if a server could not listen on `host`:`port`. If another process has the port, the
    message names that process."""
    try:
        for probe in listen(host, port):
            probe.close()
    except OSError as error:
        raise StartupError(_why_not(host, port, error)) from None


def holders_of(port: int) -> list[psutil.Process]:
    """Returns the processes that listen on a TCP port. Processes that this user may not see are missing."""
    listening = [each for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    pids = {each.pid for each in listening if each.laddr and each.laddr.port == port}
    return [each for each in psutil.process_iter() if each.pid in pids]


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        holders = ", ".join(f"PID {each.pid} ({command_of(each)[:120]})" for each in holders_of(port))
        holders = holders or "a process that this user may not see"
        return f"PORT={port}: taken by {holders}; stop it or choose another PORT"
    if error.errno == errno.EACCES:
        return f"PORT={port}: this user may not listen below 1024; choose a PORT from 1024 to 65535"
    return f"API_HOST='{host}': must be an address of this machine ({error.strerror})"


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
