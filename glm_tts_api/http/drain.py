"""SIGTERM, SIGINT and SIGHUP (its terminal is gone): answer accepted requests, refuse new ones, then let the
HTTP server end. SIGQUIT, or SIGINT again: end now.

uvicorn closes its listener the moment it hears a signal, so clients that come during a drain would find the
port shut. These handlers stand before uvicorn's own and hand over to them once every request has its answer.
Where another server has the port by then, nothing is refused. This server takes no new connection. It answers
one more request on each connection that it has, closes it, and ends when all are gone.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Protocol

from glm_tts_api.http.connections import Connections

logger = logging.getLogger(__name__)
_POLL_S = 0.1
_QUIET_S = 5.0  # between two sentences of a client whose connection speaks on
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)


class InFlight:
    """Keeps the task of every unanswered request.

    `leaving`: each answer is the last of its connection; `closing`: the server stops, nothing new is begun;
    `cut_off`: the requests left are being ended. `n_ended`, `n_cut`: what became of them from `leaving` on.
    """

    def __init__(self) -> None:
        self.leaving = False
        self.closing = False
        self.cut_off = False
        self.n_ended = 0
        self.n_cut = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def track(self) -> Iterator[None]:
        """Counts the current task for as long as the context lasts."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._idle.clear()
        try:
            yield
        finally:
            self._tasks.discard(task)
            self.n_ended += self.leaving and not self.cut_off
            if not self._tasks:
                self._idle.set()

    @property
    def n_open(self) -> int:
        return len(self._tasks)

    async def drain(self, timeout_s: float, *, grace_s: float = 5.0) -> int:
        """Waits for the answers, up to `timeout_s`; then cancels the requests that have none, so that each
        can still say so within `grace_s`. Returns how many were cancelled."""
        if await self._is_idle_within(timeout_s):
            return 0
        self.cut_off = True
        tasks = list(self._tasks)
        self.n_cut += len(tasks)
        for task in tasks:
            task.cancel()
        await self._is_idle_within(grace_s)
        return len(tasks)

    async def _is_idle_within(self, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True


class Successor(Protocol):
    """The server that may get this one's port, as this one sees it."""

    def is_succeeded(self) -> bool: ...

    def leave(self, *, n_ended: int, n_cut: int) -> None: ...


class GracefulStop:
    """Waits for the requests in flight: up to the first of `timeouts_s`, or the second where a successor has
    the port. Reports meanwhile how they ended. SIGQUIT or a second SIGINT cuts the wait short.

    SIGTERM does not, however often it comes: a supervisor and a script may both send it.
    """

    def __init__(
        self,
        in_flight: InFlight,
        connections: Connections,
        *,
        timeouts_s: tuple[float, float],
        successor: Successor,
    ) -> None:
        self._in_flight = in_flight
        self._connections = connections
        self._successor = successor
        self._timeout_s, self._leave_s = timeouts_s
        self._previous: dict[int, Any] = {}
        self._n_interrupts = 0
        self._told: tuple[int, int] | None = None
        self._drain: asyncio.Task[None] | None = None

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Handles the signals for as long as the context lasts; only the main thread can, others pass."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()

        def on_signal(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self._begin, number)  # wakes the loop; a handler can run anywhere

        heard = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]  # as by nohup
        self._previous = {number: signal.signal(number, on_signal) for number in heard}
        if any(_has_been_told(handler) for handler in self._previous.values()):
            self._in_flight.closing = True
        try:
            yield
        finally:
            for number, handler in self._previous.items():
                signal.signal(number, handler)

    def _begin(self, number: int) -> None:
        name = signal.Signals(number).name
        self._n_interrupts += number == signal.SIGINT
        if number == signal.SIGQUIT or self._n_interrupts > 1:
            logger.info("%s: ending now", name)
            self._stop_within(0.0, number)
        elif self._drain is None and self._connections.are_taken and self._successor.is_succeeded():
            logger.info("%s: another server has the port; ending once all clients have left", name)
            self._connections.take_no_more()
            self._drain = asyncio.create_task(self._leave(number))
        elif self._drain is None:
            logger.info("%s: finishing accepted requests, up to %g s", name, self._timeout_s)
            self._stop_within(self._timeout_s, number)
        else:
            logger.info("%s: finishing accepted requests already; SIGINT twice or SIGQUIT ends now", name)

    def _stop_within(self, timeout_s: float, number: int) -> None:
        self._in_flight.closing = True
        if self._drain is not None:
            self._drain.cancel()
        self._drain = asyncio.create_task(self._drain_then_hand_over(number, timeout_s))

    async def _leave(self, number: int) -> None:
        """Clients that keep a connection ask once more, or leave it to time out: closed on them, it might be
        in the moment in which they ask. Connections on which nothing is said (WebSockets) are waited for as
        in any stop, answers up to the second time-out."""
        self._in_flight.leaving = True
        began = spoke = time.monotonic()
        deadline = began + self._leave_s
        await asyncio.sleep(_POLL_S)  # those that were just taken are open by then
        while self._connections.open and time.monotonic() < deadline:
            self._tell_what_became(self._in_flight.n_open)
            await asyncio.sleep(_POLL_S)
            if self._in_flight.n_open:
                spoke = time.monotonic()
            elif time.monotonic() > max(began + self._timeout_s, spoke + _QUIET_S):
                break
        self._in_flight.closing = True
        await self._drain_then_hand_over(number, max(0.0, deadline - time.monotonic()))

    def _tell_what_became(self, n_cut: int) -> None:
        """Tells the successor about the last answers; `n_cut` includes those that a kill now would cut."""
        if self._told != (self._in_flight.n_ended, n_cut):
            self._told = self._in_flight.n_ended, n_cut
            self._successor.leave(n_ended=self._in_flight.n_ended, n_cut=n_cut)

    async def done(self) -> None:
        """Waits for the end of a stop that has begun, until uvicorn knows of it."""
        if self._drain is not None:
            await asyncio.wait({self._drain})

    async def _drain_then_hand_over(self, number: int, timeout_s: float) -> None:
        n_cut_off = await self._in_flight.drain(timeout_s)
        if n_cut_off:
            logger.warning(
                "%d requests were not done in time: answered 503, or cut off where the answer had begun",
                n_cut_off,
            )
        if self._in_flight.leaving:
            self._tell_what_became(self._in_flight.n_cut)
        if number in (signal.SIGQUIT, signal.SIGHUP):  # which uvicorn does not know
            number = signal.SIGTERM
        handler = self._previous[number]
        if callable(handler):
            handler(number, None)


def _has_been_told(handler: Any) -> bool:
    """Whether uvicorn, whose handler this is, heard a signal while it was importing the app."""
    return bool(getattr(getattr(handler, "__self__", None), "should_exit", False))
