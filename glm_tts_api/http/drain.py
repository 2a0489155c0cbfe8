"""Stops the server gracefully when it gets a signal.

On SIGTERM, SIGINT or SIGHUP (its terminal is gone), the server answers the accepted requests, refuses new
ones, and then lets uvicorn end. On SIGQUIT, or on a second SIGINT, it ends at once.

uvicorn closes its listener as soon as it gets a signal, so clients that come meanwhile would find the port
closed. The handlers here replace uvicorn's, and call them once every request has its answer. If another
server has taken over the port, nothing is refused. This server then accepts no new connection, answers one
more request on each open connection, closes that connection, and ends when all connections are closed.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Protocol

from glm_tts_api.http.connections import Connections

logger = logging.getLogger(__name__)
_POLL_S = 0.1
_QUIET_S = 5.0  # after the first time-out, connections without a request are waited for this long
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)


class InFlight:
    """Keeps the asyncio `tasks` of the unanswered requests, and the state of a stop.

    `leaving` says that each connection closes after its next answer, because another server has the port.
    `closing` says that the server stops, so nothing new is begun. `cut_off` says that the remaining requests
    are being cancelled. `n_ended` counts the requests that were answered since `leaving`, `n_cut` those that
    were cancelled.
    """

    def __init__(self) -> None:
        self.leaving = False
        self.closing = False
        self.cut_off = False
        self.n_ended = 0
        self.n_cut = 0
        self.tasks: set[asyncio.Task[Any]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def track(self) -> Iterator[None]:
        """Counts the current task as an unanswered request while the context lasts."""
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self._idle.clear()
        try:
            yield
        finally:
            self.tasks.discard(task)
            self.n_ended += self.leaving and not self.cut_off
            if not self.tasks:
                self._idle.set()

    async def drain(self, timeout_s: float, *, grace_s: float = 5.0) -> int:
        """Waits up to `timeout_s` seconds until every request has its answer. Then cancels the remaining
        requests, and waits up to `grace_s` seconds for their error answers. Returns how many were
        cancelled."""
        if await self._is_idle_within(timeout_s):
            return 0
        self.cut_off = True
        tasks = list(self.tasks)
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
    """The server that may take over this server's port."""

    def is_succeeded(self) -> bool: ...

    def leave(self, *, n_ended: int, n_cut: int) -> None: ...


@dataclass
class GracefulStop:
    """Handles the stop signals: waits for the unanswered requests, then ends the server.

    The wait lasts at most `timeouts_s[0]` seconds. If `successor` has taken over the port, it lasts at most
    `timeouts_s[1]` seconds, and the successor is told how many requests were answered and how many cut.
    SIGQUIT or a second SIGINT ends the wait. A second SIGTERM does not, because a supervisor and a script may
    both send one.
    """

    in_flight: InFlight
    connections: Connections
    timeouts_s: tuple[float, float]
    successor: Successor

    def __post_init__(self) -> None:
        self._previous: dict[int, Any] = {}
        self._n_interrupts = 0
        self._told: tuple[int, int] | None = None
        self._drain: asyncio.Task[None] | None = None

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Handles the stop signals while the context lasts. If uvicorn got such a signal before, the server
        counts as stopping from the beginning. Does nothing outside the main thread, because only the main
        thread can handle signals."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()

        def on_signal(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self._begin, number)  # wakes the loop; a handler can run anywhere

        # nohup makes the process ignore SIGHUP.
        heard = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
        self._previous = {number: signal.signal(number, on_signal) for number in heard}
        servers = [getattr(handler, "__self__", None) for handler in self._previous.values()]
        if any(getattr(server, "should_exit", False) for server in servers):
            self.in_flight.closing = True
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
        elif self._drain is None and self.connections.listeners and self.successor.is_succeeded():
            logger.info("%s: another server has the port; ending once all clients have left", name)
            for listener in self.connections.listeners:
                listener.close()
            self._drain = asyncio.create_task(self._leave(number))
        elif self._drain is None:
            logger.info("%s: finishing accepted requests, up to %g s", name, self.timeouts_s[0])
            self._stop_within(self.timeouts_s[0], number)
        else:
            logger.info("%s: finishing accepted requests already; SIGINT twice or SIGQUIT ends now", name)

    def _stop_within(self, timeout_s: float, number: int) -> None:
        self.in_flight.closing = True
        if self._drain is not None:
            self._drain.cancel()
        self._drain = asyncio.create_task(self._drain_then_hand_over(number, timeout_s))

    async def _leave(self, number: int) -> None:
        """Waits until all clients have left, after another server has taken over the port; then ends.

        An idle connection is not closed at once, because its client may just be sending a request. The client
        gets one more answer, or the connection times out. Open requests are waited for up to the second
        time-out, connections without a request (silent WebSockets) up to the first."""
        self.in_flight.leaving = True
        began = spoke = time.monotonic()
        deadline = began + self.timeouts_s[1]
        await asyncio.sleep(_POLL_S)  # until connections that were just accepted are open
        while self.connections.open and time.monotonic() < deadline:
            self._tell_what_became(len(self.in_flight.tasks))
            await asyncio.sleep(_POLL_S)
            if len(self.in_flight.tasks):
                spoke = time.monotonic()
            elif time.monotonic() > max(began + self.timeouts_s[0], spoke + _QUIET_S):
                break
        self.in_flight.closing = True
        await self._drain_then_hand_over(number, max(0.0, deadline - time.monotonic()))

    def _tell_what_became(self, n_cut: int) -> None:
        """Tells the successor how many requests were answered and how many cut, if a number has changed.
        `n_cut` counts the requests that were cut, or that a kill at this moment would cut."""
        if self._told != (self.in_flight.n_ended, n_cut):
            self._told = self.in_flight.n_ended, n_cut
            self.successor.leave(n_ended=self.in_flight.n_ended, n_cut=n_cut)

    async def done(self) -> None:
        """If a stop has begun, waits until uvicorn has been told to end. Else returns at once."""
        if self._drain is not None:
            await asyncio.wait({self._drain})

    async def _drain_then_hand_over(self, number: int, timeout_s: float) -> None:
        n_cut_off = await self.in_flight.drain(timeout_s)
        if n_cut_off:
            logger.warning(
                "%d requests were not done in time: answered 503, or cut off where the answer had begun",
                n_cut_off,
            )
        if self.in_flight.leaving:
            self._tell_what_became(self.in_flight.n_cut)
        if number in (signal.SIGQUIT, signal.SIGHUP):  # uvicorn handles neither of them
            number = signal.SIGTERM
        handler = self._previous[number]
        if callable(handler):
            handler(number, None)
