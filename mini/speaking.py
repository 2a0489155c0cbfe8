"""Speaks through the server's own engine, for evaluations: one utterance at a time on one thread."""

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from glm_tts_api.audio.decode import RecordingLimits
from glm_tts_api.contracts import AudioChunk, SamplingOptions, SpeechRequest, Voice
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.engine import Engine
from glm_tts_api.engine.event_sink import EventSink
from glm_tts_api.engine.messages import Speak
from glm_tts_api.model.checkpoint import load_checkpoint
from glm_tts_api.settings import BUNDLED_MODEL, SHIPPED_CONFIGS
from glm_tts_api.voices.store import VoiceStore
from mini.measures import Wave
from speech_text import TextFrontend


@dataclass(frozen=True)
class Said:
    """One utterance: a wave for each segment, and the CPU time and wall time that it took."""

    segments: list[Wave]
    cpu_s: float
    wall_s: float
    sample_rate: int

    @property
    def audio_s(self) -> float:
        return sum(len(wave) for wave in self.segments) / self.sample_rate


class WaveSink(EventSink):
    """A sink that collects the waves of one utterance, and the speech tokens of its last segment."""

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.pieces: dict[int, list[Wave]] = {}
        self.ended: Future[None] = Future()

    def segment_decoded(self, segment: int, tokens: list[int], times: object) -> None:
        self.tokens = tokens

    def chunk_ready(self, chunk: AudioChunk) -> None:
        self.pieces.setdefault(chunk.segment, []).append(chunk.pcm)

    def request_ended(self, error: Exception | None) -> None:
        if error is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(error)


def shipped_voices(scratch: Path) -> VoiceStore:
    """Returns the shipped voices; others would lie in the folder `scratch`."""
    return VoiceStore(
        SHIPPED_CONFIGS / "prompt_cache.json",
        scratch / "own_voices",
        limits=RecordingLimits(),
        bundled=BUNDLED_MODEL / "prompts",
    )


class Server:
    """The server's engine in this process, with the text front end and the shipped voices."""

    def __init__(
        self, scratch: Path, model: Path = BUNDLED_MODEL, *, flow_steps: int | None = None, guard: bool = True
    ) -> None:
        """`flow_steps` None takes as many as the checkpoint names."""
        self.frontend = TextFrontend(cache_dir=scratch / "text")
        self._voices = shipped_voices(scratch)
        self._engine = Engine(
            EngineConfig(n_rows=4, flow_steps=flow_steps, threads=1, guard=guard),
            load_models=partial(load_checkpoint, model, device="cpu"),
            load_frontend=lambda: self.frontend,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Server"]:
        """Loads the model for the block, and closes the engine afterwards.

        Raises SystemExit with the cause if the model cannot be loaded.
        """
        self._engine.start()
        try:
            while self._engine.state.status == "loading":  # noqa: ASYNC110 - the engine tells its state, no event
                await asyncio.sleep(0.1)
            if self._engine.state.status == "failed":
                raise SystemExit(f"The model could not be loaded: {self._engine.state.cause}")
            yield self
        finally:
            self._engine.close()

    def voice(self, index: str) -> Voice:
        return self._voices.get(index)

    async def say(self, text: str, voice: Voice, *, seed: int, sample_rate: int = 24000) -> Said:
        utterance = SpeechRequest("evaluate", text, voice, SamplingOptions(seed=seed), sample_rate)
        sink = WaveSink()
        cpu, wall = time.process_time(), time.monotonic()
        self._engine.speak(Speak(0, utterance), sink)
        await asyncio.wrap_future(sink.ended)
        cpu, wall = time.process_time() - cpu, time.monotonic() - wall
        segments = [np.concatenate(pieces) for _, pieces in sorted(sink.pieces.items())]
        return Said(segments, cpu, wall, sample_rate)
