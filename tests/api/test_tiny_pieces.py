"""Requests that come in the tiniest pieces cost, but hold up nobody: others are answered all the while."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from websockets.frames import Frame, Opcode

from tests.api.raw_client import connected, is_open
from tests.api.server_process import Server
from tests.api.waiting import wait_until

Start = Callable[..., Server]
HEAD = b"POST /api/v1/tts HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
FORM_HEAD = HEAD + b"Content-Type: multipart/form-data; boundary=limit\r\n\r\n"
HANDSHAKE = (
    b"GET /v1/audio/speech/stream HTTP/1.1\r\nHost: localhost\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
LETTER = b'{"type": "text", "text": "a"}'
N_CHUNKS, N_MESSAGES = 300_000, 19_000


def frame(opcode: Opcode, payload: bytes = b"", *, ends: bool = True) -> bytes:
    return Frame(opcode, payload, ends).serialize(mask=True)


def chunks_of_a_byte() -> bytes:
    """Of a form whose one part is a file."""
    begin = b'--limit\r\nContent-Disposition: form-data; name="prompt_audio"; filename="a"\r\n\r\n'
    return FORM_HEAD + b"%x\r\n%b\r\n" % (len(begin), begin) + b"1\r\na\r\n" * N_CHUNKS + b"0\r\n\r\n"


def letters() -> bytes:
    return frame(Opcode.TEXT, LETTER) * N_MESSAGES + frame(Opcode.TEXT, b'{"type": "cancel"}')


@contextmanager
def opened(server: Server) -> Iterator[socket.socket]:
    """A WebSocket whose frames nobody reads by itself."""
    with connected(server.port, buffer_bytes=4096) as client:
        client.sendall(HANDSHAKE)
        assert client.recv(4096).startswith(b"HTTP/1.1 101 ")
        yield client


@contextmanager
def answered(client: socket.socket, data: bytes) -> Iterator[threading.Event]:
    """Sends it meanwhile; the event is set when the answer to it begins, or the connection has ended."""
    is_answered = threading.Event()

    def ask() -> None:
        try:
            client.sendall(data)
            client.recv(1)
        except OSError:
            pass
        finally:
            is_answered.set()

    client.settimeout(120)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(ask)
        yield is_answered


def test_others_are_answered_between_chunks_of_a_byte_and_messages_of_a_letter(start: Start) -> None:
    server = start()
    for client_of, data in ((connected(server.port), chunks_of_a_byte()), (opened(server), letters())):
        n_answered = 0
        with client_of as client, answered(client, data) as is_answered:
            while not is_answered.is_set():
                assert server.client.get("/api/v1/health/live").status_code == 200
                n_answered += 1
        assert n_answered > 12


def test_a_websocket_that_would_be_remembered_without_end_is_ended(start: Start) -> None:
    """Pings whose pongs are not read, and fragments of nothing."""
    server = start()
    for data in (
        frame(Opcode.PING, bytes(125)) * 60_000,
        frame(Opcode.TEXT, ends=False) + frame(Opcode.CONT, ends=False) * 10_000,
    ):
        with opened(server) as client, suppress(ConnectionError):
            client.sendall(data)
            wait_until(lambda client=client: not is_open(client))  # type: ignore[misc]
    assert "Traceback" not in server.log.read_text()
    assert server.say().status_code == 200
