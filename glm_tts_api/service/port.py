"""Finds the process that listens on a port. Reads Linux's /proc and needs no lsof."""

from __future__ import annotations

import errno
import socket
from pathlib import Path
from stat import S_ISSOCK

from glm_tts_api.errors import StartupError
from glm_tts_api.processes import command_of, open_files

_PROC = Path("/proc")
_LISTEN = "0A"


def check_port(host: str, port: int) -> None:
    """Raises StartupError if a server could not listen on `host`:`port`. If another process has the port, the
    message names that process."""
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise StartupError(
            f"API_HOST='{host}': must be an address of this machine ({error.strerror})"
        ) from None
    for family, kind, protocol, _, address in addresses:
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError as error:
                raise StartupError(_why_not(host, port, error)) from None


def holders_of(port: int) -> list[int]:
    """Returns the PIDs of the processes that listen on a TCP port. Processes that this user may not see are
    missing."""
    sockets = {inode for table in ("tcp", "tcp6") for inode in _listening_inodes(table, port)}
    pids = [int(folder.name) for folder in _PROC.glob("[0-9]*")] if sockets else []
    return [
        pid
        for pid in pids
        if sockets & {each.st_ino for _, each in open_files(pid) if S_ISSOCK(each.st_mode)}
    ]


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"PORT={port}: taken by {_describe(holders_of(port))}; stop it or choose another PORT"
    if error.errno == errno.EACCES:
        return f"PORT={port}: this user may not listen below 1024; choose a PORT from 1024 to 65535"
    return f"API_HOST='{host}': must be an address of this machine ({error.strerror})"


def _describe(pids: list[int]) -> str:
    if not pids:
        return "a process that this user may not see"
    return ", ".join(f"PID {pid} ({command_of(pid)[:120]})" for pid in pids)


def _listening_inodes(table: str, port: int) -> list[int]:
    try:
        lines = (_PROC / "net" / table).read_text().splitlines()[1:]
    except OSError:
        return []
    rows = (line.split() for line in lines)
    return [int(row[9]) for row in rows if row[3] == _LISTEN and int(row[1].rpartition(":")[2], 16) == port]
