"""An engine that says everything as a tone, after a delay that a test chooses.

It keeps the engine's promises (chunks in order, cancelled at once, freed a little later) without a model, so
that admission, deadlines and overload can be tested exactly.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glm_tts_api.contracts import AudioChunk, SpeechRequest, Timings
from glm_tts_api.engine.state import EngineInfo, EngineState, EngineUsage
from glm_tts_api.engine.stream import SpeechStream
from glm_tts_api.engine.stream_pace import Forecast
from glm_tts_api.errors import NothingToSay

if TYPE_CHECKING:
    from glm_tts_api.text.frontend import TextFrontend

READY = EngineState("ready")


@dataclass
class ToneEngine:
    """`delay_s`: until the first tone is there; `segment_s`: from each of the `n_segments` to the next;
    `n_chunks`: the pieces in which each segment comes;
    `freeing_s`: from the end or a cancel until the request is let go; `load_s`: from the start until it is
    ready, or has failed if `load_fault` is there by then; `breaks`: what ends an request after its first
    segment."""

    delay_s: float = 0.0
    freeing_s: float = 0.0
    seconds: float = 0.5
    n_segments: int = 1
    n_chunks: int = 1
    segment_s: float = 0.0
    state: EngineState = READY
    n_spoken: int = 0
    n_stopped: int = 0
    fault: Exception | None = None
    breaks: Exception | None = None
    load_s: float = 0.0
    load_fault: Path | None = None
    streaming: Forecast | None = None
    frontend: TextFrontend | None = None
    requests: list[SpeechRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.before_hold: Callable[[], None] = lambda: None

    def start(self) -> None:
        if self.load_s:
            self.state = EngineState("loading")
            timer = threading.Timer(self.load_s, self._loaded)
            timer.daemon = True
            timer.start()

    def _loaded(self) -> None:
        failed = self.load_fault is not None and self.load_fault.exists()
        self.state = EngineState("failed", "the weights are gone") if failed else READY

    def idle_for(self, seconds: float) -> bool:
        return False

    async def unload(self, idle_s: float = 0.0) -> None:
        self.state = EngineState("idle")

    async def wake(self) -> None:
        pass

    def give_up(self, cause: str) -> None:
        self.state = EngineState("lost", cause)

    async def close(self) -> None:
        pass

    async def clear_cache(self) -> int:
        return 2**20

    def in_a_step_for(self, seconds: float) -> bool:
        return False

    def info(self) -> EngineInfo | None:
        ready = self.state.status == "ready"
        return EngineInfo("tone", "cpu", "float32", streaming=self.streaming) if ready else None

    def usage(self) -> EngineUsage | None:
        """As of a machine with a GPU."""
        return EngineUsage(2, 500, rows=20, kv_cells=40_000, gpu_bytes=(3 * 2**30, 4 * 2**30))

    def synthesize(self, asked: SpeechRequest, timings: Timings) -> SpeechStream:
        self.state.require_ready()
        if self.fault is not None:
            raise self.fault
        self.requests.append(asked)
        stopped = threading.Event()
        stream = SpeechStream(stop=stopped.set, forget=lambda _: None, timings=timings)
        threading.Thread(target=self._speak, args=(asked, stream, stopped), daemon=True).start()
        return stream

    def _speak(self, asked: SpeechRequest, stream: SpeechStream, stopped: threading.Event) -> None:
        if stopped.wait(self.delay_s):
            self.n_stopped += 1
        elif not any(char.isalnum() for char in asked.text):
            stream.request_ended(NothingToSay("input_text has nothing in it that can be spoken"))
        else:
            self._say(asked, stream, stopped)
        threading.Event().wait(self.freeing_s)
        stream.request_freed()

    def _say(self, asked: SpeechRequest, stream: SpeechStream, stopped: threading.Event) -> None:
        rate = asked.sample_rate
        time = np.arange(int(self.seconds * rate)) / rate
        pitch = 200 + asked.sampling.seed % 200
        tone = (0.3 * np.sin(2 * np.pi * pitch * time)).astype(np.float32)
        stream.timings.segments = self.n_segments
        for segment in range(self.n_segments):
            if segment and stopped.wait(self.segment_s):
                self.n_stopped += 1
                return
            stream.timings.audio_s += self.seconds
            for chunk, pcm in enumerate(np.array_split(tone, self.n_chunks), start=1):
                stream.chunk_ready(AudioChunk(pcm, rate, segment, chunk == self.n_chunks))
            if self.breaks is not None:
                stream.request_ended(self.breaks)
                return
        self.n_spoken += 1
        stream.request_ended(None)
