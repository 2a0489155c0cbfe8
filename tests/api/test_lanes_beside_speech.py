"""Texts that are read, takes that are encoded again and voices that are added have lanes and threads of their
own. They take none from speech. A text ends with its client and its deadline. The engine is a real one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.api.raw_client import connected, read_answer
from tests.api.server_process import Server
from tests.api.waiting import wait_until
from tests.engine.tiny import ENDLESS_TEXT
from tests.recordings import voice_wav

Start = Callable[..., Server]


def is_reading(server: Server) -> bool:
    return (server.root / "reading").exists()


@contextmanager
def reading_endlessly(server: Server, text: str = ENDLESS_TEXT) -> Iterator[Any]:
    """A client whose text is read for as long as anyone lets it."""
    body = json.dumps({"input_text": text}).encode()
    head = f"POST /api/v1/text/normalize HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    with connected(server.port) as client:
        client.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
        yield client


def read(server: Server, text: str = "ab", timeout: float = 60) -> httpx.Response:
    return server.client.post("/api/v1/text/normalize", json={"input_text": text}, timeout=timeout)


def encode(server: Server) -> httpx.Response:
    fields = {"response_format": "mp3", "sample_rate": 24000}
    return server.client.post("/studio/encode", data=fields, files={"pcm": ("pcm", b"\0\0")})


def add_voice(server: Server) -> httpx.Response:
    fields = {"index": "new", "prompt_text": "hello"}
    files = {"prompt_audio": ("a.wav", voice_wav(2.0))}
    return server.client.post("/api/v1/prompts", data=fields, files=files)


def test_texts_that_are_read_for_long_leave_speech_its_threads_and_a_full_queue_says_come_back(
    with_engines: Start,
) -> None:
    server = with_engines(queue_max_size=1)
    long_text = ENDLESS_TEXT + " " * 300  # in the long lane
    with reading_endlessly(server), reading_endlessly(server, long_text):
        wait_until(lambda: is_reading(server))
        with reading_endlessly(server):
            assert server.say("abcd").status_code == 200
            refused = [read(server), encode(server), add_voice(server)]
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (503, "queue_full")
        assert int(answer.headers["Retry-After"]) > 0


def test_a_reading_ends_when_its_client_leaves(with_engines: Start) -> None:
    server = with_engines()
    with reading_endlessly(server):
        wait_until(lambda: is_reading(server))
    wait_until(lambda: not is_reading(server))
    assert read(server).status_code == 200


def test_a_reading_has_a_deadline(with_engines: Start) -> None:
    server = with_engines(short_text_timeout=1)
    with reading_endlessly(server) as client:
        status, body = read_answer(client)
    assert (status, json.loads(body)["code"]) == (408, "deadline_passed")
    wait_until(lambda: not is_reading(server))
