"""Requests of prepared token ids through the engine's worker, at a chosen concurrency."""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass, field
from typing import cast

import torch

from glm_tts_api.contracts import AudioChunk, SamplingOptions, SpeechRequest, Timings, Voice
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.core import EngineCore
from glm_tts_api.engine.llm_prompt import Segment, VoicedPrompt
from glm_tts_api.engine.request import EngineRequest
from glm_tts_api.engine.voice_features import VoicePrompt
from glm_tts_api.model.checkpoint import Models
from scripts.benchmarks.gpu_models import Size

_PROMPT_TOKENS, _TRANSCRIPT_IDS = 100, 20  # four seconds of a voice
_PATIENCE_S = 300.0


@dataclass(eq=False)
class _Request:
    """Hears a request's chunks; puts itself on `ended` when the engine holds nothing of it any more."""

    ended: queue.SimpleQueue[_Request]
    started_at: float = field(default_factory=time.perf_counter)
    timings: Timings = field(default_factory=Timings)
    closed: bool = False
    full: bool = False
    first_s: float = 0.0
    total_s: float = 0.0
    audio_s: float = 0.0
    error: Exception | None = None

    def segment_decoded(self, segment: int, tokens: list[int]) -> None: ...

    def chunk_ready(self, chunk: AudioChunk) -> None:
        self.first_s = self.first_s or time.perf_counter() - self.started_at
        self.audio_s += len(chunk.pcm) / chunk.sample_rate

    def request_ended(self, error: Exception | None) -> None:
        self.total_s = time.perf_counter() - self.started_at
        self.error = error

    def request_freed(self) -> None:
        self.ended.put(self)


@dataclass(frozen=True, slots=True)
class Load:
    """What a concurrency level came to; seconds, and audio seconds per second."""

    concurrency: int
    n_requests: int
    rtf_p95: float
    audio_s_per_s: float
    latency_p50: float
    first_audio_p95: float


class Serving:
    """A worker with its models loaded, to be closed."""

    def __init__(self, size: Size, models: Models, config: EngineConfig) -> None:
        self._size = size
        loaded: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._core = EngineCore(config, on_fault=loaded.put)
        self._core.start(lambda: models, on_loaded=lambda _: loaded.put(None), on_failed=loaded.put)
        error = loaded.get()
        if error is not None:
            raise error

    def close(self) -> None:
        self._core.close()

    def measure(self, *, concurrency: int, n_requests: int) -> Load:
        """`n_requests` in all, `concurrency` of them at any time. Raises what a request failed with."""
        ended: queue.SimpleQueue[_Request] = queue.SimpleQueue()
        done: list[_Request] = []
        started = time.perf_counter()
        for seed in range(n_requests):
            if seed >= concurrency:
                done.append(_next(ended))
            self._submit(seed, ended)
        while len(done) < n_requests:
            done.append(_next(ended))
        wall_s = time.perf_counter() - started
        return Load(
            concurrency=concurrency,
            n_requests=n_requests,
            rtf_p95=_percentile([request.total_s / request.audio_s for request in done], 95),
            audio_s_per_s=sum(request.audio_s for request in done) / wall_s,
            latency_p50=_percentile([request.total_s for request in done], 50),
            first_audio_p95=_percentile([request.first_s for request in done], 95),
        )

    def _submit(self, seed: int, ended: queue.SimpleQueue[_Request]) -> None:
        size, draw = self._size, torch.Generator().manual_seed(seed)
        voice = VoicePrompt(
            speech_tokens=torch.randint(0, size.n_audio, (_PROMPT_TOKENS,), generator=draw).tolist(),
            embedding=torch.randn(192, generator=draw),
            mel=torch.randn(2 * _PROMPT_TOKENS, 80, generator=draw).mul(1.5).sub(5),
        )
        ids = range(1, size.ids_per_segment + 1)
        segments, transcript = [list(ids)] * size.n_segments, list(range(1, _TRANSCRIPT_IDS + 1))
        asked = SpeechRequest("check", "", cast(Voice, None), SamplingOptions(seed=seed))
        prompt = VoicedPrompt(transcript, voice)
        spoken = [Segment(ids, prompt) for ids in segments]
        self._core.submit(EngineRequest(asked, spoken, _Request(ended)))


def _next(ended: queue.SimpleQueue[_Request]) -> _Request:
    request = ended.get(timeout=_PATIENCE_S)
    if request.error is not None:
        raise request.error
    return request


def _percentile(values: list[float], percent: int) -> float:
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, len(ranked) * percent // 100)]
