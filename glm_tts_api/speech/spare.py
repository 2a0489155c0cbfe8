"""The places that no request has, for work that nobody waits for. Knows asyncio; knows no HTTP, no text.

Those who want one get it in the order in which they came. A request that comes for a place finds it: whoever
has it without need is interrupted, the last one first, and may come again.
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
    """Places for work that gives way, at most `most` at once on each engine."""

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
        """A permit in its turn. Raises QueueFull where a request came for its place."""
        permit = Permit(self, await self._turn(), ANYONE)
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
        """The engine that the place is on."""
        turn: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        self._look_again()
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # its place came in the same moment
                self._leave(turn.result())
            elif turn in self._queue:
                self._queue.remove(turn)
            raise

    def move(self, engine: int, to: int) -> None:
        """The work of a permit goes on with another engine."""
        self._taken[to] += 1
        self._leave(engine)

    def end(self, permit: Permit) -> None:
        """Its holders are done with it."""
        self._leave(permit.engine)

    def _leave(self, engine: int) -> None:
        self._taken[engine] -= 1
        self._look_again()

    def _look_again(self) -> None:
        """Interrupts those for whom there is no place any more, and gives out those that are free."""
        now = asyncio.get_running_loop().time()
        for engine, taken in enumerate(self._taken):
            n_too_many = max(0, taken - self._admission.spare_on(engine))
            permits = [permit for permit in self._interruptions if permit.engine == engine]
            for permit in permits[::-1][:n_too_many]:
                if self._interruptions[permit].when() is None:
                    self._interruptions[permit].reschedule(now)
        while self._queue and (best := self._best()) is not None:
            turn = self._queue.popleft()
            if not turn.done():
                self._taken[best] += 1
                turn.set_result(best)

    def _best(self) -> int | None:
        """The engine with the most places left; None if none has any."""
        left = [
            min(self._most, self._admission.spare_on(engine)) - taken
            for engine, taken in enumerate(self._taken)
        ]
        return left.index(max(left)) if max(left) > 0 else None
