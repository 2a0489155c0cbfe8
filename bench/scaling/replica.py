"""One simulated replica: it serves a limited number of requests at once, and queues further requests."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from heapq import heappop, heappush

import simpy

from bench.scaling.measured import Measured

KNOWN_VOICES = 64  # the number of voices that glm_tts_api/engine/voice_features.py caches


@dataclass(slots=True)
class Request:
    """A simulated request. Its times are seconds since the beginning of the simulation."""

    arrived: float
    audio_s: float
    voice: int
    begun: float = 0.0
    first_audio: float = 0.0
    ended: float = 0.0
    knew_voice: bool = False


class Replica:
    """A simulated replica. It serves at most `places` requests at once, and lets `queue` requests wait.

    The replica shares its speed evenly among the requests in service. The unit of work is a second of audio.
    """

    def __init__(self, env: simpy.Environment, measured: Measured, *, places: int, queue: int) -> None:
        self._env = env
        self._measured = measured
        self._places = places
        self._max_queue = queue
        self._queue: deque[Request] = deque()
        self._running: list[tuple[float, int, Request]] = []  # a heap by the _share at which they end
        self._share = 0.0  # audio seconds that a request served since the beginning would have
        self._since = 0.0  # the time for which `_share` was computed
        self._turn = 0
        self._n_begun = 0
        self._voices: OrderedDict[int, None] = OrderedDict()

    @property
    def load(self) -> int:
        """The number of requests in service and in the queue."""
        return len(self._running) + len(self._queue)

    def take(self, request: Request) -> bool:
        """Takes a request into service or into the queue. Returns False if the queue is full."""
        if len(self._running) < self._places:
            self._advance()
            self._begin(request)
            self._plan()
        elif len(self._queue) < self._max_queue:
            self._queue.append(request)
        else:
            return False
        return True

    def _begin(self, request: Request) -> None:
        request.begun = self._env.now
        request.knew_voice = request.voice in self._voices
        work, reading_s = request.audio_s, 0.0
        if not request.knew_voice:
            reading_s = self._measured.voice_s
            work += reading_s * self._measured.audio_rate.at(1)
        self._voices[request.voice] = None
        self._voices.move_to_end(request.voice)
        if len(self._voices) > KNOWN_VOICES:
            self._voices.popitem(last=False)
        self._n_begun += 1
        heappush(self._running, (self._share + work, self._n_begun, request))
        first_audio_s = self._measured.first_audio_s(len(self._running))
        request.first_audio = request.begun + reading_s + first_audio_s

    def _speed(self) -> float:
        n = len(self._running)
        return self._measured.audio_rate.at(n) / n if n else 0.0

    def _advance(self) -> None:
        """Computes `_share` for the present time.

        The method is called before the number of requests in service changes.
        """
        self._share += (self._env.now - self._since) * self._speed()
        self._since = self._env.now

    def _plan(self) -> None:
        """Schedules `_end` for the time at which the next request ends. A later call makes this plan void."""
        self._turn += 1
        if self._running:
            wait = max(0.0, self._running[0][0] - self._share) / self._speed()
            self._env.timeout(wait, value=self._turn).callbacks.append(self._end)

    def _end(self, event: simpy.Event) -> None:
        if event.value != self._turn:
            return
        self._advance()
        _, _, request = heappop(self._running)
        request.ended = self._env.now
        request.first_audio = min(request.first_audio, request.ended)  # for a short answer
        if self._queue:
            self._begin(self._queue.popleft())
        self._plan()
