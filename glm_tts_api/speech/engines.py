"""The engines of one server: chooses an engine for each request, and continues a request on another engine
when its engine dies. Uses asyncio; knows no models.

The same request always gives the same audio. So another engine, or the successor of the dead one, speaks the
request again and leaves out the audio that was already sent: the client gets the same bytes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Literal

from glm_tts_api.engine.child import EngineDied
from glm_tts_api.engine.client import EngineClient
from glm_tts_api.engine.state import EngineInfo, EngineState, Status
from glm_tts_api.errors import InternalFault
from glm_tts_api.stats.workers import Phase
from speech_text import ReadingOptions, ShownReading

HealthStatus = Literal["healthy", "idle", "loading", "draining", "unhealthy"]
logger = logging.getLogger(__name__)
_GUILTY = 3  # `read` gives up after this many engines died by themselves while they read the text

# The states of an engine from the best to the worst, each with the server's health and the engine's phase in
# the metrics. The server's state is that of its best engine.
STATES: dict[Status, tuple[HealthStatus, Phase]] = {
    "ready": ("healthy", "ready"),
    "idle": ("idle", "ready"),
    "reloading": ("idle", "ready"),
    "restarting": ("loading", "loading"),
    "stalled": ("unhealthy", "stalled"),
    "loading": ("loading", "loading"),
    "lost": ("unhealthy", "failed"),
    "failed": ("unhealthy", "failed"),
}


class Engines:
    """All engines of the server; the list `each` is in the order of their numbers. `changed` is a callback,
    called whenever an engine may have begun to take requests. `n_resumed` counts for each engine the requests
    that were continued on it after their own engine died."""

    def __init__(self, each: Sequence[EngineClient]) -> None:
        self.each = each
        self.changed: Callable[[], None] = lambda: None
        self.n_resumed = [0] * len(each)
        self._change = asyncio.Event()
        self._one_suspect = asyncio.Lock()
        self._reserved: int | None = None
        for engine in each:
            engine.changed = self._look_again

    @property
    def state(self) -> EngineState:
        """The state of the server, which is that of its best engine."""
        return min((engine.state for engine in self.each), key=lambda it: [*STATES].index(it.status))

    def info(self) -> EngineInfo | None:
        """Returns the facts of the first engine that has loaded its model, such as the model's name; None
        until an engine has loaded its model."""
        return next((info for engine in self.each if (info := engine.info) is not None), None)

    def start(self) -> None:
        for engine in self.each:
            engine.start()

    async def loaded(self) -> None:
        """Waits until an engine takes requests. Returns also while an engine is idle or is being started
        again, because requests can then wait for it. Raises Unhealthy if the best engine has failed or is
        stalled."""
        while (state := self.state).status in ("loading", "lost"):
            await self._change.wait()
        state.require_ready()

    async def close(self) -> None:
        await asyncio.gather(*(engine.close() for engine in self.each))

    def unload_idle(self, seconds: float) -> None:
        """Ends the process of each engine that nobody has used for `seconds`."""
        for engine in self.each:
            if engine.idle_for(seconds):
                engine.unload()

    def rank(self, number: int) -> int:
        """Returns how good the engine with this number is for a new request: 3 if it is ready, 2 if it was
        unloaded while idle. An engine that is being loaded again has rank 1 while no engine is ready; a
        request then waits for it. The rank is 0 in all other states, and for a ready engine that `alone` has
        reserved: the engine then takes no request."""
        status = self.each[number].state.status
        if status == "ready":
            return 0 if number == self._reserved else 3
        if status == "idle":
            return 2
        return int(status in ("reloading", "restarting") and self._best() is None)

    def n_rows(self, number: int) -> int:
        """Returns how many requests the engine with this number speaks at once; 0 until the engine has
        reported this number."""
        info = self.each[number].info
        return info.n_rows if info is not None else 0

    async def clear_cache(self) -> int:
        """Clears the caches of all engines that are ready. Returns the number of bytes freed. An engine that
        fails to clear its cache counts as 0 bytes; its error is not raised."""
        ready = [engine for engine in self.each if engine.state.status == "ready"]
        freed = await asyncio.gather(*(engine.clear_cache() for engine in ready), return_exceptions=True)
        return sum(one for one in freed if isinstance(one, int))

    async def read(self, text: str, options: ReadingOptions, transcript: str = "") -> ShownReading:
        """Returns the reading of `text`: its segments as a voice with this `transcript` will speak them, and
        the changes that the reading rules made. The best engine answers, after a wait until it is ready;
        another engine is asked if it dies. Raises the error that refuses the text, Loading or Unhealthy if no
        engine can answer, and InternalFault after three deaths that nobody caused by a kill."""
        wanted, n_deaths = max(range(len(self.each)), key=self.rank), 0
        while n_deaths < _GUILTY:
            wanted = await self.ready(wanted)
            try:
                return await self.each[wanted].read(text, options, transcript)
            except EngineDied as death:
                n_deaths += death.is_ours
                logger.warning("A text is read again, since the engine died: %s", death)
        raise InternalFault

    async def ready(self, wanted: int) -> int:
        """Waits for the engine with the number `wanted`, which is started again if it was unloaded, and
        returns that number once the engine is ready. If that engine has died, is stalled or is reserved by
        `alone`, returns the best ready engine instead. Raises Loading or Unhealthy if there is no engine to
        wait for."""
        while True:
            status = self.each[wanted].state.status
            if status == "ready" and wanted != self._reserved:
                return wanted
            if status == "idle":
                self.each[wanted].wake()
            elif status != "reloading" and (best := self._best()) is not None:
                return best
            self.state.require_ready()
            await self._change.wait()

    @asynccontextmanager
    async def alone(self, wanted: int) -> AsyncIterator[int]:
        """Gives its turn to a text at which engines have died, and yields the number of the engine that is to
        speak it. One text has its turn at a time. The engine is `wanted`, whose successor begins with this
        text: while the successor loads and until the `async with` block ends, the engine gets no other
        requests. If `wanted` already speaks again, or cannot be started, nothing is reserved: the text is
        spoken beside others, there or on another engine. Raises Unhealthy if no engine can speak."""
        async with self._one_suspect:
            self._reserved = wanted
            try:
                while self.each[wanted].state.status in ("loading", "reloading", "restarting"):
                    await self._change.wait()
                self._reserved = None
                number = await self.ready(wanted)
                self._reserved = None if self.each[number].n_streams else number
                yield number
            finally:
                self._reserved = None
                self._look_again()

    def _best(self) -> int | None:
        """Returns the number of the ready engine with the fewest streams; None if no engine is ready. The
        engine that `alone` has reserved does not count."""
        ready = [
            number
            for number, engine in enumerate(self.each)
            if engine.state.status == "ready" and number != self._reserved
        ]
        return min(ready, key=lambda number: self.each[number].n_streams, default=None)

    def _look_again(self) -> None:
        self._change.set()
        self._change = asyncio.Event()
        self.changed()
