"""Texts that are read, takes that are encoded again and voices that are added have lanes and threads of their
own. They take none from speech. A text ends with its client and its deadline. The engine is the real one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import httpx

from tests.api.project_folder import project
from tests.api.raw_client import connected, read_answer
from tests.api.running import Running, running_app
from tests.api.waiting import wait_until
from tests.engine import tiny
from tests.recordings import voice_wav


class Frontend(tiny.SentenceFrontend):
    """Counts the texts that are being read."""

    n_reading = 0

    def read(self, *arguments: Any, **options: Any) -> Any:
        self.n_reading += 1
        try:
            return super().read(*arguments, **options)
        finally:
            self.n_reading -= 1


@contextmanager
def reader(root: Path, **settings: Any) -> Iterator[Running]:
    def build(*_: Any) -> Any:
        return tiny.tiny_engine(frontend=Frontend)

    with running_app(project(root / "project", **settings), build) as server:
        wait_until(lambda: server.say("ab").status_code == 200, 60)
        yield server


def is_reading(server: Running) -> bool:
    return cast(Frontend, server.engine.frontend).n_reading > 0


@contextmanager
def reading_endlessly(server: Running) -> Iterator[Any]:
    """A client whose text is read for as long as anyone lets it."""
    body = json.dumps({"input_text": tiny.ENDLESS_TEXT}).encode()
    head = f"POST /api/v1/text/normalize HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    with connected(int(server.url.rpartition(":")[2])) as client:
        client.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
        yield client


def read(server: Running, text: str = "ab", timeout: float = 60) -> httpx.Response:
    with server.client() as client:
        return client.post("/api/v1/text/normalize", json={"input_text": text}, timeout=timeout)


def encode(server: Running) -> httpx.Response:
    with server.client() as client:
        fields = {"response_format": "mp3", "sample_rate": 24000}
        return client.post("/studio/encode", data=fields, files={"pcm": ("pcm", b"\0\0")})


def add_voice(server: Running) -> httpx.Response:
    with server.client() as client:
        fields = {"index": "new", "prompt_text": "hello"}
        return client.post("/api/v1/prompts", data=fields, files={"prompt_audio": ("a.wav", voice_wav(2.0))})


def test_texts_that_are_read_for_long_leave_speech_its_threads_and_a_full_queue_says_come_back(
    tmp_path: Path,
) -> None:
    with reader(tmp_path, queue_max_size=1) as server, reading_endlessly(server):
        wait_until(lambda: is_reading(server))
        with reading_endlessly(server):
            assert server.say("abcd").status_code == 200
            refused = [read(server), encode(server), add_voice(server)]
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (503, "queue_full")
        assert int(answer.headers["Retry-After"]) > 0


def test_a_reading_ends_when_its_client_leaves(tmp_path: Path) -> None:
    with reader(tmp_path) as server:
        with reading_endlessly(server):
            wait_until(lambda: is_reading(server))
        wait_until(lambda: not is_reading(server))
        assert read(server).status_code == 200


def test_a_reading_has_a_deadline(tmp_path: Path) -> None:
    with reader(tmp_path, short_text_timeout=1) as server:
        with reading_endlessly(server) as client:
            status, body = read_answer(client)
        assert (status, json.loads(body)["code"]) == (408, "deadline_passed")
        wait_until(lambda: not is_reading(server))


def test_an_idle_server_reads_without_its_model(tmp_path: Path) -> None:
    with reader(tmp_path, idle_unload_s=0.1) as server, server.client() as client:
        wait_until(lambda: client.get("/api/v1/health").json()["status"] == "idle")
        answer = read(server, "ab/cd").json()
        assert [segment["text"] for segment in answer["segments"]] == ["ab", "cd"]
        assert client.get("/api/v1/health").json()["status"] == "idle"
