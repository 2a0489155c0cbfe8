"""The speech of one request as it arrives on the event loop. Knows asyncio; knows no tensors."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from types import TracebackType

from glm_tts_api.contracts import AudioChunk, Timings


class NobodyListens(Exception):
    """The stream was left or stopped: what is under way for it is to end."""


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
        stop: Callable[[], None],
        forget: Callable[[SpeechStream], None],
        *,
        buffer_s: float = math.inf,
        timings: Timings | None = None,
    ) -> None:
        """`stop` makes the engine look whether it is still wanted, `forget` is told when the engine holds
        nothing of it; `buffer_s`: seconds of audio that may wait to be heard before no more is made;
        `timings`: where the request's time is noted down."""
        self.timings = timings or Timings()
        self.closed = False
        self._buffer_s = buffer_s
        self._waiting_s = 0.0
        self._loop = asyncio.get_running_loop()
        self._stop = stop
        self._forget = forget
        self._inbox: asyncio.Queue[AudioChunk | Exception | None] = asyncio.Queue()
        self._ended = False
        self._freed = False
        self._freed_callbacks: list[Callable[[], None]] = []

    def __aiter__(self) -> SpeechStream:
        return self

    async def __anext__(self) -> AudioChunk:
        """The next chunk in the order of the text; raises the ServiceError that ended the request."""
        if self._ended or (self.closed and self._inbox.empty()):
            raise StopAsyncIteration
        try:
            item = await self._inbox.get()
        except asyncio.CancelledError:
            self.close()
            raise
        if isinstance(item, AudioChunk):
            was_full = self.full
            self._waiting_s -= item.seconds
            if was_full and not self.full:
                self._stop()  # the engine looks again, and goes on
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
        """Nobody listens any more. Returns at once; the engine frees the request at its next step."""
        if not self.closed:
            self.closed = True
            if not self._freed:
                self._stop()

    def abort(self, error: Exception) -> None:
        """Ends the stream from the engine's side: its listener hears `error`, its work stops."""
        self._inbox.put_nowait(error)
        self.close()

    def on_freed(self, callback: Callable[[], None]) -> None:
        """Calls `callback` on the loop once the engine holds nothing of the request (at once if so
        already)."""
        if self._freed:
            callback()
        else:
            self._freed_callbacks.append(callback)

    # -- the request's side; any thread

    @property
    def full(self) -> bool:
        return self._waiting_s >= self._buffer_s

    def require_listener(self) -> None:
        """Raises NobodyListens once the stream is closed."""
        if self.closed:
            raise NobodyListens

    def chunk_ready(self, chunk: AudioChunk) -> None:
        self._on_loop(lambda: self._put(chunk))

    def request_ended(self, error: Exception | None) -> None:
        self._on_loop(lambda: self._inbox.put_nowait(error))

    def request_freed(self) -> None:
        self._on_loop(self._set_freed)

    def _put(self, chunk: AudioChunk) -> None:
        self._waiting_s += chunk.seconds
        self._inbox.put_nowait(chunk)

    def _on_loop(self, call: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)

    def _set_freed(self) -> None:
        if not self._freed:
            self._freed = True
            self._forget(self)
            for callback in self._freed_callbacks:
                callback()
