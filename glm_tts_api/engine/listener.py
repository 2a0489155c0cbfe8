"""The listener of a request, as the engine knows it."""

from __future__ import annotations

from typing import Protocol

from glm_tts_api.contracts import AudioChunk, Timings


class RequestListener(Protocol):
    """Waits for a request's speech; told from whichever thread it happens on."""

    timings: Timings

    @property
    def closed(self) -> bool:
        """The listener has left: the request is to be freed at the next step."""

    @property
    def full(self) -> bool:
        """Enough audio waits to be heard: no more need be made now."""

    def segment_decoded(self, segment: int, tokens: list[int]) -> None:
        """The speech tokens of a segment are decided."""

    def chunk_ready(self, chunk: AudioChunk) -> None: ...

    def request_ended(self, error: Exception | None) -> None:
        """No chunk will follow: all were delivered (None) or the request failed."""

    def request_freed(self) -> None:
        """The engine holds nothing of the request any more."""
