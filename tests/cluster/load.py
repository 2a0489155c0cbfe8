"""Many clients at once, and what became of each request."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

TEXT = "今天天气很好。"
_HUNG_S = 180
OUTCOMES = ("answered", "clear 503", "cut", "hung", "lost", "other")


@dataclass
class Load:
    """`cut`: an answer that had begun and ended before its end; `lost`: a connection that ended without one;
    `hung`: neither within three minutes."""

    url: str
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def sent(self) -> int:
        return self.outcomes.total()

    def line(self) -> str:
        figures = ", ".join(f"{name} {self.outcomes[name]}" for name in OUTCOMES)
        return f"sent {self.sent}: {figures}"

    def ask(self, *, streamed: bool) -> None:
        """Clients that ask again and again until the load ends."""
        while not self._ended.is_set():
            outcome = self._ask_once(streamed)
            self.outcomes[outcome] += 1
            if outcome == "clear 503":
                time.sleep(1)  # as it asks for

    def _ask_once(self, streamed: bool) -> str:
        begun = False
        fields = {"input_text": TEXT, "index": "exampleA"}
        speech = {"input": TEXT, "voice": "exampleA", "model": "tts-1", "response_format": "pcm"}
        request: dict[str, Any] = (
            {"url": "/v1/audio/speech", "json": speech}
            if streamed
            else {"url": "/api/v1/tts", "data": fields}
        )
        try:
            with (
                httpx.Client(base_url=self.url, timeout=_HUNG_S, trust_env=False) as client,
                client.stream("POST", **request) as answer,
            ):
                begun = answer.status_code == 200
                answer.read()
            if answer.status_code == 200:
                return "answered"
            is_clear = "retry-after" in answer.headers and "code" in answer.text
            if answer.status_code == 503 and is_clear:
                return "clear 503"
            self.faults.append(f"{answer.status_code} {answer.text[:200]}")
        except httpx.TimeoutException:
            return "hung"
        except httpx.TransportError as error:
            if begun:
                return "cut"
            self.faults.append(repr(error))
            return "lost"
        return "other"


@contextmanager
def load(url: str, *, whole: int, streamed: int) -> Iterator[Load]:
    """So many clients of each kind, until the context ends; then every answer is waited for."""
    running = Load(url)
    clients = [
        threading.Thread(target=running.ask, kwargs={"streamed": number < streamed})
        for number in range(whole + streamed)
    ]
    for client in clients:
        client.start()
    try:
        yield running
    finally:
        running._ended.set()
        for client in clients:
            client.join()
