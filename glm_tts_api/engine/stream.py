"""The audio of one request as it arrives on the server's event loop. Knows asyncio; knows no tensors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType

from glm_tts_api.contracts import AudioChunk, Timings
from glm_tts_api.engine import messages


class SpeechStream:
    """An async iterator of AudioChunk, and the context in which it may be left early.

        async with engine.synthesize(asked) as stream:
            stream.on_freed(permit.hold())
            async for chunk in stream: ...

    Leaving the context, or cancelling a task that awaits the next chunk, stops the work for the request. The
    engine still holds the request until its current step has ended: `on_freed` tells when.
    """

    def __init__(
        self,
        left: Callable[[], object],
        *,
        took: Callable[[float], object] = lambda _: None,
        timings: Timings | None = None,
    ) -> None:
        """`left` is called when nobody listens any more. `took` is called with the seconds of each chunk that
        was taken. `timings` collects the times of the request's stages."""
        self.timings = timings or Timings()
        self.tokens: dict[int, list[int]] = {}
        """The speech tokens of each segment that is decoded."""
        self._closed = self._ended = self._freed = False
        self._left = left
        self._took = took
        self.sounds_until = 0.0
        """The time, on time.perf_counter's clock, until which the client can play earlier audio."""
        self._plays = False
        self._held: list[AudioChunk] = []
        self._start: asyncio.TimerHandle | None = None
        self._inbox: asyncio.Queue[AudioChunk | Exception | None] = asyncio.Queue()
        self._freed_callbacks: list[Callable[[], None]] = []

    def __aiter__(self) -> SpeechStream:
        return self

    async def __anext__(self) -> AudioChunk:
        """Waits for the next chunk in the order of the text and returns it. Raises the error that ended the
        request, or StopAsyncIteration after the last chunk."""
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
        """Tells the engine that nobody listens any more. Returns at once; the engine frees the request at its
        next step."""
        if not self._closed:
            self._closed = True
            if not self._freed:
                self._left()

    def on_freed(self, callback: Callable[[], None]) -> None:
        """Calls `callback` once the engine holds nothing of the request; at once if that is so already."""
        if self._freed:
            callback()
        else:
            self._freed_callbacks.append(callback)

    # -- the engine's side, on the event loop

    def take(self, message: messages.OfRequest) -> None:
        """Takes what the engine says about this request."""
        match message:
            case messages.Chunk():
                self.put(message.audio)
            case messages.StageChanged():
                (self.timings.begin if message.by > 0 else self.timings.end)(message.stage)
            case messages.Segments():
                self.timings.segments = message.n_segments
            case messages.Decoded():
                self.tokens[message.segment] = message.tokens
            case messages.Guarded():
                self.timings.guarded(message.segment, message.n_retakes, message.fault)
            case messages.Ended():
                self.put(None if message.fault is None else messages.error_of(message.fault))

    def put(self, item: AudioChunk | Exception | None) -> None:
        """Adds a chunk, or the end of the stream: None, or the error that ended the request. The first chunks
        are held back until the `wait_s` seconds of the latest chunk are over, unless the client can play
        earlier audio until then. After that, or after the end, no chunk is held back."""
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
