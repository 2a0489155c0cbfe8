"""The places that no request holds, for background work, such as jobs. Uses asyncio; knows no HTTP, no
text.

Spare places are given in the order of asking. If a request needs a place, spare work that holds one is
interrupted, the newest first, and may ask again. Work at which an engine died is not interrupted.

Requests that never pause do not keep this work from its end: if no work has ended beside them for five
minutes, the next one is treated as a request.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from glm_tts_api.errors import QueueFull
from glm_tts_api.speech.admission import Admission, Permit
from glm_tts_api.speech.clients import ANYONE

_COME_BACK_S = 0.05
_AT_LEAST_EVERY_S = 300.0


class BackgroundSlots:
    """Gives the places of `admission` that no request holds to other work: at most `most` at once on each
    engine. Interrupts that work when requests need the places. Sets the callback `admission.changed`."""

    def __init__(self, admission: Admission, n_engines: int, *, most: int = 4) -> None:
        self._admission = admission
        self._most = most
        self._taken = [0] * n_engines
        self._permits: list[Permit] = []
        self._queue: deque[asyncio.Future[tuple[int, bool]]] = deque()
        self._count_down: asyncio.TimerHandle | None = None
        self._one_is_due = False
        admission.changed = self._look_again

    @asynccontextmanager
    async def place(self, *, is_due: bool = False) -> AsyncIterator[Permit]:
        """Waits for a spare place and yields the permit for it. If a request needs the place, the body of the
        `async with` block is cancelled and QueueFull is raised. This does not happen to work that is due.
        `is_due` says that it is a part of such work, which gets the next place."""
        self._begin_count_down()
        engine, is_due = await self._turn(is_due)
        interruption = asyncio.timeout(None)
        permit = Permit(self, ANYONE, interruption, engine=engine, is_background=not is_due)
        self._permits.append(permit)
        try:
            async with interruption:
                self._look_again()
                yield permit
        except TimeoutError:
            if not interruption.expired():
                raise
            raise QueueFull("The work has to give its place up.", retry_after_s=_COME_BACK_S) from None
        finally:
            self._permits.remove(permit)
            permit.release()
            if not interruption.expired():
                self._begin_count_down(anew=True)

    def _begin_count_down(self, *, anew: bool = False) -> None:
        if anew and self._count_down is not None:
            self._count_down.cancel()
            self._count_down = None
        is_one_spoken = any(not permit.is_background for permit in self._permits)
        if self._count_down is None and not self._one_is_due and not is_one_spoken:
            self._count_down = asyncio.get_running_loop().call_later(_AT_LEAST_EVERY_S, self._end_count_down)

    def _end_count_down(self) -> None:
        """Makes the work due that gets the next place: it keeps its place, and no place need be spare. If all
        work has places already, one gives its place up and asks again."""
        self._count_down = None
        if not self._admission.holds_requests:
            if self._queue or self._permits:
                self._begin_count_down()
            return
        self._one_is_due = True
        if not self._queue:
            self._interrupt(self._permits, 1)
        self._look_again()

    async def _turn(self, is_due: bool) -> tuple[int, bool]:
        """Waits for a spare place. Returns the number of its engine, and whether this work is due."""
        turn: asyncio.Future[tuple[int, bool]] = asyncio.get_running_loop().create_future()
        self._queue.insert(0 if is_due else len(self._queue), turn)
        self._one_is_due |= is_due
        self._look_again()
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it has just got a place
                self._leave(turn.result()[0])
            elif turn in self._queue:
                self._queue.remove(turn)
            raise

    def move(self, permit: Permit, to: int) -> None:
        self._taken[to] += 1
        before, permit.engine = permit.engine, to
        self._leave(before)

    def end(self, permit: Permit) -> None:
        self._leave(permit.engine)

    def _leave(self, engine: int) -> None:
        self._taken[engine] -= 1
        self._look_again()

    def _look_again(self) -> None:
        """Interrupts work whose places requests need, and gives free places to the work that waits."""
        for engine in {permit.engine for permit in self._permits}:
            here = [permit for permit in self._permits if permit.engine == engine]
            self._interrupt(here, self._taken[engine] - self._room(engine))
        while self._queue and (best := self._best()) is not None:
            turn = self._queue.popleft()
            if not turn.done():
                self._taken[best] += 1
                turn.set_result((best, self._one_is_due))
                self._one_is_due = False

    def _interrupt(self, permits: Sequence[Permit], n: int) -> None:
        """Interrupts the newest `n` of the background works with these permits."""
        now = asyncio.get_running_loop().time()
        for permit in [each for each in permits if each.is_background][::-1][: max(0, n)]:
            if permit.deadline.when() is None:
                permit.deadline.reschedule(now)

    def _best(self) -> int | None:
        """Returns the number of the engine with the most free spare places, of those that take requests; None
        if no place is free, unless the next work is due."""
        left = {
            engine: self._room(engine) - taken
            for engine, taken in enumerate(self._taken)
            if self._admission.rank(engine)
        }
        best = max(left, key=lambda engine: left[engine], default=None)
        return best if best is not None and (left[best] > 0 or self._one_is_due) else None

    def _room(self, engine: int) -> int:
        """Returns how many spare places the engine has, taken ones included."""
        return min(self._most, self._admission.spare_on(engine))
