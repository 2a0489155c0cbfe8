"""Clients that behave as no HTTP library would: slow ones, idle ones, ones that stop in the middle."""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

SPEAK = {"input_text": "hello", "index": "exampleA"}


@contextmanager
def connected(port: int, *, buffer_bytes: int | None = None) -> Iterator[socket.socket]:
    """`buffer_bytes`: how much the client's side holds that nobody reads."""
    with socket.socket() as client:
        if buffer_bytes is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        client.settimeout(60)
        client.connect(("127.0.0.1", port))
        yield client


def ask_for_speech(client: socket.socket) -> None:
    ask(client, "/api/v1/tts", SPEAK)


def ask(client: socket.socket, path: str, fields: dict[str, str]) -> None:
    body = json.dumps(fields).encode()
    client.sendall(
        b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (path.encode(), len(body), body)
    )


def read_head(client: socket.socket) -> tuple[int, int, bytes]:
    """The answer's status, its Content-Length, and what of its body came along."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(4096)
        assert piece, data
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), int(headers["content-length"]), rest


def read_answer(client: socket.socket) -> tuple[int, bytes]:
    """The answer's status and its whole body."""
    status, n_bytes, body = read_head(client)
    while len(body) < n_bytes:
        piece = client.recv(n_bytes - len(body))
        assert piece, body
        body += piece
    return status, body


def read_body(client: socket.socket, n_bytes: int, *, pause_s: float = 0.0) -> int:
    """Reads up to `n_bytes`, pausing after each MB; returns how many came before the connection ended."""
    n_read = n_paused = 0
    while n_read < n_bytes:
        try:
            piece = client.recv(min(2**18, n_bytes - n_read))
        except ConnectionResetError:
            return n_read
        if not piece:
            return n_read
        n_read += len(piece)
        if n_read // 2**20 > n_paused:
            n_paused += 1
            time.sleep(pause_s)
    return n_read


def is_open(client: socket.socket) -> bool:
    """Whether the server has not ended the connection, read or unread."""
    poll = select.poll()
    poll.register(client, select.POLLRDHUP)
    return not poll.poll(0)
