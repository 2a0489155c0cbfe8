"""The places that no request holds, for work that gives way, such as jobs. Uses asyncio; knows no HTTP, no
text.

Spare places are given in the order of asking. If a request needs a place, spare work that holds one is
interrupted, the newest first, and may ask again. Work at which an engine died is not interrupted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from glm_tts_api.errors import QueueFull
from glm_tts_api.speech.admission import Admission
from glm_tts_api.speech.clients import ANYONE
from glm_tts_api.speech.lane import Permit
from glm_tts_api.stats.figures import LaneName

_COME_BACK_S = 0.05


class SparePlaces:
    """Gives the places of `admission` that no request holds to other work: at most `most` at once on each
    engine. Interrupts that work when requests need the places. Sets the callback `admission.changed`."""

    name: LaneName = "long_text"

    def __init__(self, admission: Admission, n_engines: int, *, most: int = 4) -> None:
        self._admission = admission
        self._most = most
        self._taken = [0] * n_engines
        self._interruptions: dict[Permit, asyncio.Timeout] = {}
        self._queue: deque[asyncio.Future[int]] = deque()
        admission.changed = self._look_again

    @asynccontextmanager
    async def place(self) -> AsyncIterator[Permit]:
        """Waits for a spare place and yields the permit for it. If a request needs the place, the body of the
        `async with` block is cancelled and QueueFull is raised."""
        permit = Permit(self, await self._turn(), ANYONE)
        permit.gives_way = True
        release = permit.hold()
        try:
            async with asyncio.timeout(None) as interruption:
                self._interruptions[permit] = interruption
                self._look_again()
                yield permit
        except TimeoutError:
            if not interruption.expired():
                raise
            raise QueueFull("A request came for this place.", _COME_BACK_S) from None
        finally:
            self._interruptions.pop(permit, None)
            release()

    async def _turn(self) -> int:
        """Waits for a spare place and returns the number of its engine."""
        turn: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        self._look_again()
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it has just got a place
                self._leave(turn.result())
            elif turn in self._queue:
                self._queue.remove(turn)
            raise

    def move(self, engine: int, to: int) -> None:
        """Moves the work of a permit from one engine to another."""
        self._taken[to] += 1
        self._leave(engine)

    def end(self, permit: Permit) -> None:
        """Frees the place of `permit`. The permit calls this once all its holders have released it."""
        self._leave(permit.engine)

    def _leave(self, engine: int) -> None:
        self._taken[engine] -= 1
        self._look_again()

    def _look_again(self) -> None:
        """Interrupts work whose places requests need, and gives free places to the work that waits."""
        now = asyncio.get_running_loop().time()
        for engine, taken in enumerate(self._taken):
            n_too_many = max(0, taken - self._room(engine))
            permits = [each for each in self._interruptions if each.engine == engine and each.gives_way]
            for permit in permits[::-1][:n_too_many]:
                if self._interruptions[permit].when() is None:
                    self._interruptions[permit].reschedule(now)
        while self._queue and (best := self._best()) is not None:
            turn = self._queue.popleft()
            if not turn.done():
                self._taken[best] += 1
                turn.set_result(best)

    def _best(self) -> int | None:
        """Returns the number of the engine with the most free spare places; None if no spare place is
        free."""
        left = [
            (self._room(engine) - taken) * self._admission.takes_requests(engine)
            for engine, taken in enumerate(self._taken)
        ]
        return left.index(max(left)) if max(left) > 0 else None

    def _room(self, engine: int) -> int:
        """Returns how many spare places the engine has, taken ones included."""
        return min(self._most, self._admission.spare_on(engine))
