"""The right of a request to one place of a lane. Uses asyncio; knows no HTTP, no text, no model."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from glm_tts_api.speech.clients import Client


class Places(Protocol):
    """A pool of places that gives permits and takes them back: a Lane, or SparePlaces."""

    def move(self, permit: Permit, to: int) -> None: ...
    def end(self, permit: Permit) -> None: ...


class Permit:
    """The right to one place of `places` on an `engine`. `deadline` cancels the request's work `timeout_s`
    seconds after the request arrived. Work that `gives_way` stands back for all requests and may be
    interrupted."""

    def __init__(
        self,
        places: Places,
        engine: int,
        client: Client,
        deadline: asyncio.Timeout,
        timeout_s: float = math.inf,
    ) -> None:
        self.gives_way = False
        self.engine = engine
        self.client = client
        self.since = time.monotonic()
        self.deadline = deadline
        self.timeout_s = timeout_s
        self._places = places
        self._n_holders = 0

    def move_to(self, engine: int) -> None:
        """Moves the permit's place to another engine. That engine may then have more requests than places."""
        self._places.move(self, engine)
        self.engine = engine

    @property
    def timeout_ratio(self) -> float:
        """The used share of the time-out: 0 at arrival, 1 at the deadline; 0 while the deadline is paused."""
        when = self.deadline.when()
        return 0.0 if when is None else 1 - (when - asyncio.get_running_loop().time()) / self.timeout_s

    @contextmanager
    def waiting_for_client(self) -> Iterator[None]:
        """Pauses the deadline inside the `with` block, in which the request waits for its client to take
        audio, since the deadline is for the work alone."""
        if self.deadline.expired() or (when := self.deadline.when()) is None:
            yield
            return
        loop = asyncio.get_running_loop()
        since = loop.time()
        self.deadline.reschedule(None)
        try:
            yield
        finally:
            self.deadline.reschedule(when + loop.time() - since)

    def hold(self) -> Callable[[], None]:
        """Adds a holder of the permit and returns the holder's release callback. The place is free once every
        holder has called its callback. Further calls of the same callback do nothing."""
        self._n_holders += 1
        released = False

        def release() -> None:
            nonlocal released
            if released:
                return
            released = True
            self._n_holders -= 1
            if self._n_holders == 0:
                self._places.end(self)

        return release
