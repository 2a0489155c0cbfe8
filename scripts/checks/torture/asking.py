"""A client of the soak test: its requests, their ids, and the outcomes that are expected of them."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import httpx

COMPLETED = frozenset({"completed"})
LATE = frozenset({"deadline_passed"})
# For a client that disconnects early: its answer may be complete by then, or its request may never be read.
LEFT = frozenset({"completed", "cut", "cancelled", ""})


@dataclass
class Ledger:
    """Records the requests of all clients and the faults in their answers.

    `expected` maps the id of each request for speech to the outcomes that the server's log may report for
    this request. The outcome "" means that the log has no line for the request. `n_asked` counts the
    requests by their kind.
    """

    expected: dict[str, Collection[str]] = field(default_factory=dict)
    n_asked: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def expect(self, id: str, outcomes: Collection[str]) -> None:
        with self.lock:
            self.expected[id] = outcomes

    def fault(self, what: str) -> None:
        with self.lock:
            self.faults.append(what)


class UnwantedAnswerError(Exception):
    """The server gave an answer that the request does not explain, such as another status."""


@dataclass
class Asking:
    """One client, with its own HTTP connection `http`, `number` and random generator `draw`."""

    url: str
    number: int
    ledger: Ledger
    draw: random.Random
    http: httpx.Client
    n_asked: int = 0

    @property
    def port(self) -> int:
        port = httpx.URL(self.url).port
        assert port is not None
        return port

    @property
    def own_name(self) -> str:
        """A name for a voice or word that no other client uses."""
        return f"soak{self.number}x{self.n_asked}"

    def new_id(self, outcomes: Collection[str] = COMPLETED) -> str:
        """Returns a new id for a request for speech, and records the `outcomes` that the request may have."""
        self.n_asked += 1
        id = f"soak-{self.number}-{self.n_asked}"
        self.ledger.expect(id, outcomes)
        return id

    def speech(self, method: str, path: str, *, status: int = 200, **content: Any) -> httpx.Response:
        """Sends a request for speech with a new id.

        Raises UnwantedAnswerError if the answer's status is not `status`, or if a 200 has fewer than 100
        bytes.
        """
        outcomes = COMPLETED if status == 200 else LATE
        headers = {"X-Request-Id": self.new_id(outcomes)}
        answer = self.call(method, path, status=status, headers=headers, **content)
        if status == 200 and len(answer.content) < 100:
            raise UnwantedAnswerError(f"{method} {path}: {len(answer.content)} bytes")
        return answer

    def call(self, method: str, path: str, *, status: int = 200, **content: Any) -> httpx.Response:
        """Sends a request and returns the answer.

        Raises UnwantedAnswerError if its status is not `status`.
        """
        answer = self.http.request(method, path, **content)
        if answer.status_code != status:
            raise UnwantedAnswerError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer
