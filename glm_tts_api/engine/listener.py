"""The listener of a request: the engine tells it what happens to the request."""

from __future__ import annotations

from typing import Protocol

from glm_tts_api.contracts import AudioChunk, Timings


class RequestListener(Protocol):
    """Waits for the speech of one request. The engine calls each method on the thread where the event
    happens."""

    timings: Timings

    @property
    def closed(self) -> bool:
        """Whether the listener has left. The engine then frees the request at its next step."""

    @property
    def full(self) -> bool:
        """Whether so much audio waits for the listener that the engine need not make more now."""

    def segment_decoded(self, segment: int, tokens: list[int]) -> None:
        """Tells the listener the final speech `tokens` of the segment number `segment`."""

    def chunk_ready(self, chunk: AudioChunk) -> None: ...

    def request_ended(self, error: Exception | None) -> None:
        """Tells the listener that no chunk will follow. `error` is None if all chunks were delivered, else
        the error with which the request failed."""

    def request_freed(self) -> None:
        """Tells the listener that the engine holds nothing of the request any more."""
