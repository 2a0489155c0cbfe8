"""Clients that end their sending once they have asked, as `nc -N` does: they wait for their answer. A client
that leaves sends the same, and its work is stopped all the same."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.api.running import Running
from tests.api.tone_engine import ToneEngine

Serve = Callable[..., Running]
TONE_BYTES = 24000
HEALTH = b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n"


def asking_for_speech(*, version: str = "1.1", **fields: str) -> bytes:
    body = "&".join(
        f"{name}={value}"
        for name, value in {
            "input_text": "hello",
            "index": "exampleA",
            "response_format": "pcm",
            **fields,
        }.items()
    )
    head = f"POST /api/v1/tts HTTP/{version}\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}".encode()


@contextmanager
def half_closed(server: Running, request: bytes) -> Iterator[socket.socket]:
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        yield client


def answers(server: Running, request: bytes) -> list[bytes]:
    """All that comes until the server ends the connection: the answers, without those that are interim."""
    with half_closed(server, request) as client:
        data = b"".join(iter(lambda: client.recv(2**16), b""))
    whole = [b"HTTP/1.1 " + part for part in data.split(b"HTTP/1.1 ")[1:]]
    return [answer for answer in whole if not answer.startswith(b"HTTP/1.1 100 ")]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("stream", ["false", "true"])
def test_the_answer_comes(serve: Serve, version: str, stream: str) -> None:
    server = serve(ToneEngine(delay_s=0.7, n_segments=2, segment_s=0.3))
    (answer,) = answers(server, asking_for_speech(version=version, stream=stream))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert len(body) >= 2 * TONE_BYTES
    assert body.endswith(b"\r\n0\r\n\r\n") == (stream == "true" and version == "1.1")
    server.wait_for_lane(active=0, completed=1)


def test_requests_that_follow_each_other_are_all_answered(serve: Serve) -> None:
    server = serve(ToneEngine(delay_s=0.3))
    found = answers(server, HEALTH + asking_for_speech() + HEALTH)
    assert [answer[:13] for answer in found] == [b"HTTP/1.1 200 "] * 3
    assert len(found[1]) > TONE_BYTES


def test_an_answer_that_is_longer_than_a_buffer_comes_whole(serve: Serve) -> None:
    server = serve(ToneEngine(seconds=200))
    (answer,) = answers(server, asking_for_speech())
    assert len(answer) > 200 * 48000


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_one_that_leaves_while_it_waits_stops_the_work(serve: Serve, version: str) -> None:
    server = serve(ToneEngine(delay_s=600))
    with half_closed(server, asking_for_speech(version=version)):
        server.wait_for_lane(active=1)
    server.wait_for_lane(active=0, cancelled=1)
    assert server.engine.n_stopped == 1


def test_one_that_leaves_while_it_hears_stops_the_work(serve: Serve) -> None:
    server = serve(ToneEngine(n_segments=1000, segment_s=0.1))
    with half_closed(server, asking_for_speech(stream="true")) as client:
        data = b""
        while b" 200 OK" not in data:
            piece = client.recv(2**16)
            assert piece, data
            data += piece
    server.wait_for_lane(active=0, cancelled=1)


def test_a_body_that_is_cut_short_stops_nothing_else(server: Running) -> None:
    assert answers(server, asking_for_speech()[:-5]) == []
    assert server.say().status_code == 200
