"""The event sink of a request: the engine calls it for all that happens to the request. In an engine's
process, the sink sends the events to the server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from glm_tts_api.contracts import AudioChunk, SegmentFault, Stage
from glm_tts_api.engine import messages
from glm_tts_api.engine.messages import Message, fault_of
from glm_tts_api.errors import ServiceError

_BETWEEN_BEATS_S = 1.0  # the longest time between two beats on a busy machine


class EventSink:
    """Takes the audio and the events of one request. The engine calls each method on the thread where the
    event happens; here they do nothing. `closed` says that the client has left: the engine then frees the
    request at its next step."""

    closed: bool = False

    @property
    def full(self) -> bool:
        """Whether so much audio waits for the client that the engine need not make more now."""
        return False

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """Has the stage begin with the `with` block and end with it."""
        self.change(stage, 1)
        try:
            yield
        finally:
            self.change(stage, -1)

    def change(self, stage: Stage, by: int) -> None:
        """Notes that a stage of the request begins (`by` 1) or ends (-1)."""

    def segmented(self, n_segments: int) -> None:
        """Takes the number of the text's segments."""

    def segment_decoded(self, segment: int, tokens: list[int], times: list[tuple[float, float]]) -> None:
        """Takes the final speech `tokens` of the segment number `segment`, and the times of its words."""

    def guarded(self, segment: int, n_retakes: int, faults: Mapping[SegmentFault, str]) -> None:
        """Notes that a segment was decoded again `n_retakes` times, with the faults that it still has and
        their words."""

    def chunk_ready(self, chunk: AudioChunk) -> None:
        """Takes the next audio."""

    def request_ended(self, error: Exception | None) -> None:
        """Notes that no chunk will follow. `error` is None if all chunks were delivered, else the error
        with which the request failed."""

    def request_freed(self) -> None:
        """Notes that the engine holds nothing of the request any more."""


class RemoteSink(EventSink):
    """Sends the audio and all events of a request to the server. The sink is full while at least `buffer_s`
    seconds of audio wait in the server."""

    def __init__(
        self, number: int, send: Callable[[Message], None], buffer_s: float, forget: Callable[[int], object]
    ) -> None:
        self._number, self._send, self._buffer_s, self._forget = number, send, buffer_s, forget
        self._waiting_s = 0.0
        self._counting = threading.Lock()

    @property
    def full(self) -> bool:
        return self._waiting_s >= self._buffer_s

    def took(self, seconds: float) -> bool:
        """Notes that the server's reader has taken `seconds` of audio. Returns True if the sink was full
        and is not any more, so that the engine may make more audio."""
        with self._counting:
            was_full = self.full
            self._waiting_s -= seconds
            return was_full and not self.full

    def change(self, stage: Stage, by: int) -> None:
        self._send(messages.StageChanged(self._number, stage, by))

    def segmented(self, n_segments: int) -> None:
        self._send(messages.Segments(self._number, n_segments))

    def guarded(self, segment: int, n_retakes: int, faults: Mapping[SegmentFault, str]) -> None:
        if n_retakes or faults:
            self._send(messages.Guarded(self._number, segment, n_retakes, faults))

    def segment_decoded(self, segment: int, tokens: list[int], times: list[tuple[float, float]]) -> None:
        self._send(messages.Decoded(self._number, segment, tokens, times))

    def chunk_ready(self, chunk: AudioChunk) -> None:
        with self._counting:
            self._waiting_s += chunk.seconds
        self._send(messages.Chunk(self._number, chunk))

    def request_ended(self, error: Exception | None) -> None:
        fault = fault_of(error) if isinstance(error, ServiceError) else None
        self._send(messages.Ended(self._number, fault))

    def request_freed(self) -> None:
        self._forget(self._number)
        self._send(messages.Released(self._number))


class CountedSteps:
    """Measures the time of the engine's current step, without the time in which the process was stopped."""

    def __init__(self) -> None:
        self._step_s = self._stopped_s = 0.0
        self._at = time.monotonic()

    def count(self, step_s: float) -> float:
        """Returns the seconds of the current step without the time in which the process was stopped. `step_s`
        is the step's time by the clock. Call this with every beat: a much longer time between two calls means
        that the process was stopped."""
        since, self._at = self._at, time.monotonic()
        if step_s < self._step_s:  # a new step
            self._stopped_s = 0.0
        self._step_s = step_s
        self._stopped_s = min(step_s, self._stopped_s + max(0.0, self._at - since - _BETWEEN_BEATS_S))
        return step_s - self._stopped_s
