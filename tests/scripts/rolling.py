"""What asks and listens while a restart rolls, and what is left of it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from tests.scripts.own_project import Project

SENTENCE = "我们今天去公园散步，那里的花都开了。"
N_SENTENCES = 30
SPEAK: dict[str, Any] = {"input_text": SENTENCE, "index": "exampleA"}


class Clients:
    """What clients saw that asked every 100 ms, by a new connection each time and by one that is kept, and
    now and then for speech."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.n_answers = 0
        self.n_moved = 0  # a kept connection that the server gave up in its answer
        self.failures: list[str] = []

    def ask_anew(self, over: Event) -> None:
        while not over.wait(0.1):
            self._try(lambda: self._ask(self._connection()))

    def ask_on(self, over: Event) -> None:
        connection = self._connection()
        while not over.wait(0.1):
            self._try(lambda: self._ask(connection))
            if connection.sock is None:  # http.client closes what the server said it will close
                self.n_moved += 1

    def speak(self, over: Event) -> None:
        while not over.wait(4):  # the servers load beside it
            self._try(lambda: self._ask(self._connection(), SPEAK))

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)

    def _ask(self, connection: http.client.HTTPConnection, body: dict[str, Any] | None = None) -> None:
        if body is None:
            connection.request("GET", "/api/v1/health")
        else:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/api/v1/tts", json.dumps(body), headers)
        answer = connection.getresponse()
        said = answer.read()
        assert answer.status == 200, said

    def _try(self, ask: Callable[[], None]) -> None:
        try:
            ask()
            self.n_answers += 1
        except (OSError, http.client.HTTPException, AssertionError) as error:
            self.failures.append(repr(error))


@contextmanager
def asking(project: Project) -> Iterator[Clients]:
    clients, over = Clients(project.port), Event()
    threads = [Thread(target=way, args=(over,)) for way in (clients.ask_anew, clients.ask_on, clients.speak)]
    for thread in threads:
        thread.start()
    try:
        yield clients
    finally:
        over.set()
        for thread in threads:
            thread.join()


class Stream:
    """An answer to a text so long that it is still spoken when another server has the port. A thread reads it
    all the time, since the server drops a client that takes nothing for a minute."""

    def __init__(self, project: Project) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", project.port, timeout=300)
        body = {**SPEAK, "input_text": SENTENCE * N_SENTENCES, "stream": True, "response_format": "pcm"}
        body.update(speed=0.25, sample_rate=32000)
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", "/api/v1/tts", json.dumps(body), headers)
        self.answer = self._connection.getresponse()
        begun = self.answer.read(1000)
        assert begun
        self._pool = ThreadPoolExecutor(1)
        self._whole = self._pool.submit(lambda: begun + self.answer.read())

    def rest(self) -> bytes:
        """Waits for the end and returns the whole. Raises IncompleteRead if it breaks off."""
        return self._whole.result()


def assert_alone(project: Project, pid: int) -> None:
    assert project.servers() == [pid]
    assert project.pid == pid
    assert project.get("/api/v1/health").status == 200
    assert "yet to prove itself" not in project.run("scripts/status_api.sh").said
