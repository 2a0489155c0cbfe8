"""The speech of one request as it arrives on the event loop. Knows asyncio; knows no tensors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType

from glm_tts_api.contracts import AudioChunk, Timings


class SpeechStream:
    """An async iterator of AudioChunk, and the context in which it may be left early.

        async with engine.synthesize(asked) as stream:
            stream.on_freed(permit.hold())
            async for chunk in stream: ...

    Leaving the context, or cancelling a task that awaits the next chunk, stops the work behind it. The
    engine then still holds the request until the step it is in has ended: `on_freed` tells when.
    """

    def __init__(
        self,
        left: Callable[[], object],
        *,
        took: Callable[[float], object] = lambda _: None,
        timings: Timings | None = None,
    ) -> None:
        """`left` is told that nobody listens any more, `took` of each chunk that was taken how many seconds
        it has; `timings`: where the request's time is noted down."""
        self.timings = timings or Timings()
        self.tokens: dict[int, list[int]] = {}
        """Of each segment that is decoded its speech tokens."""
        self._closed = self._ended = self._freed = self._rests = False
        self._left = left
        self._took = took
        self.sounds_until = 0.0
        """On time.perf_counter's clock: what its client has to play from before."""
        self._plays = False
        self._held: list[AudioChunk] = []
        self._start: asyncio.TimerHandle | None = None
        self._inbox: asyncio.Queue[AudioChunk | Exception | None] = asyncio.Queue()
        self._freed_callbacks: list[Callable[[], None]] = []

    def __aiter__(self) -> SpeechStream:
        return self

    async def __anext__(self) -> AudioChunk:
        """The next chunk in the order of the text; raises what ended the request."""
        if self._ended or (self._closed and self._inbox.empty()):
            raise StopAsyncIteration
        try:
            item = await self._inbox.get()
        except asyncio.CancelledError:
            self.close()
            raise
        if isinstance(item, AudioChunk):
            self._took(item.seconds)
            return item
        self._ended = True
        if item is not None:
            raise item
        raise StopAsyncIteration

    async def __aenter__(self) -> SpeechStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """The listener leaves. Returns at once; the engine frees the request at its next step."""
        if not self._closed:
            self._closed = True
            if not self._freed:
                self._left()

    def rest(self) -> None:
        """Stops the work and takes no more of it; audio that is already there can be taken."""
        self._let_go()
        self._rests = True
        self.close()

    def on_freed(self, callback: Callable[[], None]) -> None:
        """Calls `callback` once the engine holds nothing of the request (at once if so already)."""
        if self._freed:
            callback()
        else:
            self._freed_callbacks.append(callback)

    @property
    def ended(self) -> bool:
        """Whether all that there is was taken."""
        return self._ended

    # -- the engine's side, on the event loop

    def put(self, item: AudioChunk | Exception | None) -> None:
        """A chunk; or the end, with what ended the request. Chunks are held back for as long as the latest
        says, unless the client has something to play until then; once they were let go, none is held."""
        if self._rests:
            return
        if isinstance(item, AudioChunk) and not self._plays:
            self._held.append(item)
            if self._start is not None:
                self._start.cancel()
            if item.wait_s and time.perf_counter() + item.wait_s > self.sounds_until:
                self._start = asyncio.get_running_loop().call_later(item.wait_s, self._let_go)
            else:
                self._let_go()
        else:
            self._let_go()
            self._inbox.put_nowait(item)

    def _let_go(self) -> None:
        self._plays = True
        for chunk in self._held:
            self._inbox.put_nowait(chunk)
        self._held = []

    def freed(self) -> None:
        if not self._freed:
            self._freed = True
            for callback in self._freed_callbacks:
                callback()
