"""An engine that says everything as a tone, after a delay that a test chooses.

It keeps an engine's promises (chunks in order, ended at once, freed a little later, its requests handed back
when it dies) without a model and without a process, so that admission, deadlines, overload and deaths can be
tested exactly.
"""

from __future__ import annotations

import asyncio
import os
import re
import threading
import time
from collections.abc import Callable, Mapping, MutableSequence, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from glm_tts_api.contracts import AudioChunk, SpeechRequest
from glm_tts_api.engine import messages
from glm_tts_api.engine.child import EngineDied
from glm_tts_api.engine.client import Listener
from glm_tts_api.engine.state import EngineInfo, EngineState, EngineUsage
from glm_tts_api.errors import NothingToSay, ServiceError, of_text
from speech_text import ReadingOptions, ShownReading, TextError, Written, WrittenWord

if TYPE_CHECKING:
    from speech_text import TextFrontend

READY = EngineState("ready")


class NobodyListensError(Exception):
    """The reading of a text ends here."""


@dataclass(eq=False)
class ToneEngine:
    """`delay_s`: until the first tone is there, but of the first `n_quick` requests; `segment_s`: from each
    of the `n_segments` to the next; `n_chunks`: the pieces in which each segment comes; `freeing_s`: from
    the end or a cancel until the request is let go; `load_s`: from the start until it is ready; `breaks`:
    what ends a request after its first segment; `n_rows`: how many requests it says it speaks at once, once
    it is loaded. A test that has to see a request under way sets long delays, and ends them by `release`."""

    delay_s: float = 0.0
    n_quick: int = 0
    freeing_s: float = 0.0
    seconds: float = 0.5
    n_segments: int = 1
    n_chunks: int = 1
    segment_s: float = 0.0
    state: EngineState = READY
    n_spoken: int = 0
    n_stopped: int = 0
    fault: Exception | None = None
    breaks: ServiceError | None = None
    load_s: float = 0.0
    frontend: TextFrontend | None = None
    n_rows: int = 0
    requests: MutableSequence[SpeechRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.changed: Callable[[], None] = lambda: None
        self.pid: int | None = os.getpid()
        self.n_restarts = self.n_watchdog_exits = self.n_deaths = self._n_asked = 0
        self._spoken_now: dict[int, tuple[Listener, threading.Event]] = {}
        self._released = threading.Event()
        self.is_released: Callable[[], bool] = self._released.is_set

    @property
    def n_streams(self) -> int:
        return len(self._spoken_now)

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self.load_s:
            self._enter(EngineState("loading"))
            self._loop.call_later(self.load_s, self._enter, READY)

    def _enter(self, state: EngineState) -> None:
        self.state = state
        self.changed()

    def _tell(self, call: Callable[..., object], *arguments: Any) -> None:
        """Has it called on the loop, from any thread."""
        with suppress(RuntimeError):  # the server has ended
            self._loop.call_soon_threadsafe(call, *arguments)

    def enter(self, state: EngineState) -> None:
        """From any thread."""
        self._tell(self._enter, state)

    def die(self) -> None:
        """From any thread. A successor is there once a test says that it is ready."""
        self._tell(self._die, EngineDied("a test", is_ours=True))

    def _die(self, death: EngineDied) -> None:
        for number in list(self._spoken_now):
            listener, stopped = self._spoken_now.pop(number)
            stopped.set()
            listener.take(death)
            self.changed()
        self.n_restarts += 1
        self._enter(EngineState("restarting", str(death)))

    def release(self) -> None:
        """Ends all delays, those under way and those to come; from any thread."""
        self._released.set()

    def _delay(self, seconds: float, stopped: threading.Event) -> bool:
        """Whether the request was stopped meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.is_released():
            if stopped.wait(min(left, 0.05)):
                return True
        return stopped.is_set()

    async def close(self) -> None: ...

    def idle_for(self, seconds: float) -> bool:
        return False

    def unload(self) -> None:
        self._enter(EngineState("idle"))

    def wake(self) -> None:
        self._enter(READY)

    async def clear_cache(self) -> int:
        return 2**20

    async def read(self, text: str, options: ReadingOptions, transcript: str = "") -> ShownReading:
        assert self.frontend is not None
        left = threading.Event()

        def require_open() -> None:
            if left.is_set():
                raise NobodyListensError

        read = partial(self.frontend.read, text, options, transcript=transcript)
        try:
            reading = await asyncio.to_thread(read, check=require_open)
        except TextError as error:
            raise of_text(error) from None
        finally:
            left.set()
        return reading.shown()

    @property
    def info(self) -> EngineInfo | None:
        ready = self.state.status == "ready"
        return EngineInfo("tone", "cpu", "float32", n_rows=self.n_rows) if ready else None

    @property
    def usage(self) -> EngineUsage | None:
        """As of a machine with a GPU."""
        return EngineUsage(2, 500, rows=20, kv_cells=40_000, gpu_bytes=(3 * 2**30, 4 * 2**30))

    def speak(
        self,
        listener: Listener,
        asked: SpeechRequest,
        tokens: Mapping[int, Sequence[int]],
        first: int,
        *,
        is_background: bool = False,
    ) -> int:
        if self.fault is not None:
            raise self.fault
        self.requests.append(asked)
        self._n_asked += 1
        delay_s = self.delay_s if self._n_asked > self.n_quick else 0.0
        number, stopped = self._n_asked, threading.Event()
        self._spoken_now[number] = listener, stopped
        threading.Thread(
            target=self._speak, args=(asked, number, delay_s, first, stopped), daemon=True
        ).start()
        return number

    def send(self, message: messages.Credit | messages.Cancel) -> None:
        if isinstance(message, messages.Cancel) and message.number in self._spoken_now:
            self._spoken_now[message.number][1].set()

    def _take(self, message: messages.OfRequest) -> None:
        """Nothing comes of a request that died with its engine."""
        if message.number in self._spoken_now:
            listener, _ = self._spoken_now[message.number]
            if isinstance(message, messages.Released):
                del self._spoken_now[message.number]
            listener.take(message)
            if isinstance(message, messages.Released):
                self.changed()

    def _speak(
        self, asked: SpeechRequest, number: int, delay_s: float, first: int, stopped: threading.Event
    ) -> None:
        if self._delay(delay_s, stopped):
            self.n_stopped += 1
        elif not any(char.isalnum() for char in asked.text):
            error = NothingToSay("input_text has nothing in it that can be spoken")
            self._tell(self._take, messages.Ended(number, messages.fault_of(error)))
        else:
            self._say(asked, number, first, stopped)
        self._delay(self.freeing_s, threading.Event())
        self._tell(self._take, messages.Released(number))

    def _seconds_of(self, asked: SpeechRequest) -> float:
        return self.seconds

    def _n_segments_of(self, asked: SpeechRequest) -> int:
        return self.n_segments

    def _say(self, asked: SpeechRequest, number: int, first: int, stopped: threading.Event) -> None:
        rate = asked.sample_rate
        at = np.arange(int(self._seconds_of(asked) * rate)) / rate
        pitch = 200 + asked.sampling.seed % 200
        tone = (0.3 * np.sin(2 * np.pi * pitch * at)).astype(np.float32)
        n_segments = self._n_segments_of(asked)
        self._tell(self._take, messages.Segments(number, n_segments))
        words = [WrittenWord(*word.span(), 1.0, pause=False) for word in re.finditer(r"\w+", asked.text)]
        written = Written(asked.text, words, 0) if asked.timestamps else None
        said = asked.text if asked.verify else ""
        if asked.pause_s:
            silence = np.zeros(round(asked.pause_s * rate), np.float32)
            pause = AudioChunk(silence, rate, 0, ends_segment=False, speed=None)
            self._tell(self._take, messages.Chunk(number, pause))
        for segment in range(first, n_segments):
            if segment > first and self._delay(self.segment_s, stopped):
                self.n_stopped += 1
                return
            for chunk, pcm in enumerate(np.array_split(tone, self.n_chunks), start=1):
                piece = AudioChunk(pcm, rate, segment, chunk == self.n_chunks, written=written, said=said)
                self._tell(self._take, messages.Chunk(number, piece))
            if self.breaks is not None:
                self._tell(self._take, messages.Ended(number, messages.fault_of(self.breaks)))
                return
        self.n_spoken += 1
        self._tell(self._take, messages.Ended(number, None))
