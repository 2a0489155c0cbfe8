"""Requests of prepared token ids through the engine's threads: scripts/gpu_check.sh's rows of whole requests.

What they lack of a user's request is its text's reading, the HTTP server and the way to another process.
"""

from __future__ import annotations

import queue
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch

from glm_tts_api.contracts import AudioChunk, SamplingOptions, SpeechRequest, Timings, Voice
from glm_tts_api.engine.core import EngineCore
from glm_tts_api.engine.llm_prompt import Segment, VoicedPrompt
from glm_tts_api.engine.request import EngineRequest
from glm_tts_api.model.kv_cache import KVCache
from scripts.benchmarks.gpu_models import Bench
from scripts.benchmarks.gpu_timing import GIB, MIB, MS, percentile

Measured = dict[str, float | str]
_TRANSCRIPT_IDS = 20
_PATIENCE_S = 120.0
_BURST = 16


@dataclass(eq=False)
class Request:
    """Hears a request's chunks; puts itself on `ended` when the engine holds nothing of it any more."""

    ended: queue.SimpleQueue[Request]
    started_at: float = field(default_factory=time.perf_counter)
    timings: Timings = field(default_factory=Timings)
    closed: bool = False
    full: bool = False
    total_s: float = 0.0
    tokens: list[int] = field(default_factory=list)
    chunks: list[tuple[float, AudioChunk]] = field(default_factory=list)  # when each came
    error: Exception | None = None

    def segment_decoded(self, segment: int, tokens: list[int]) -> None:
        self.tokens += tokens

    def chunk_ready(self, chunk: AudioChunk) -> None:
        self.chunks.append((time.perf_counter() - self.started_at, chunk))

    def request_ended(self, error: Exception | None) -> None:
        self.total_s = time.perf_counter() - self.started_at
        self.error = error

    def request_freed(self) -> None:
        self.ended.put(self)

    @property
    def first_ms(self) -> float:
        return MS * self.chunks[0][0]

    @property
    def audio_s(self) -> float:
        return sum(chunk.seconds for _, chunk in self.chunks)

    @property
    def gap_ms(self) -> float:
        """The longest time that a player has nothing to play, if it plays what comes as it comes."""
        gap, heard_until = 0.0, self.chunks[0][0]
        for came, chunk in self.chunks:
            gap = max(gap, came - heard_until)
            heard_until = max(heard_until, came) + chunk.seconds
        return MS * gap

    @property
    def pcm(self) -> bytes:
        return np.concatenate([chunk.pcm for _, chunk in self.chunks]).tobytes()


class Serving:
    """The engine's threads over the bench's models, to be closed."""

    def __init__(self, bench: Bench, *, deterministic: bool) -> None:
        self._bench = bench
        config, models = replace(bench.config, deterministic=deterministic), bench.models()
        loaded: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._core = EngineCore(config, on_fault=loaded.put)
        started = time.perf_counter()
        self._core.start(lambda: models, on_loaded=lambda _: loaded.put(None), on_failed=loaded.put)
        error = loaded.get()
        if error is not None:
            raise error
        self.start_s = time.perf_counter() - started
        if bench.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(bench.device)
        self.first_s, self.second_s = (self.speak([0], streams=True)[0].total_s for _ in range(2))

    def close(self) -> None:
        self._core.close()

    def speak(self, seeds: Sequence[int], *, streams: bool, at_once: int = 1) -> list[Request]:
        """A request for each seed, `at_once` of them at any time; in the order in which they ended. Raises
        what a request failed with."""
        ended: queue.SimpleQueue[Request] = queue.SimpleQueue()
        done: list[Request] = []
        for index, seed in enumerate(seeds):
            if index >= at_once:
                done.append(_next(ended))
            self._submit(seed, ended, streams=streams)
        while len(done) < len(seeds):
            done.append(_next(ended))
        return done

    def beside(self, seed: int, others: Sequence[int]) -> Request:
        """The request of `seed`, asked for after the others, so that it has another slot."""
        aside: queue.SimpleQueue[Request] = queue.SimpleQueue()
        ended: queue.SimpleQueue[Request] = queue.SimpleQueue()
        for other in others:
            self._submit(other, aside, streams=True)
        self._submit(seed, ended, streams=True)
        request = _next(ended)
        for _ in others:
            _next(aside)
        return request

    def _submit(self, seed: int, ended: queue.SimpleQueue[Request], *, streams: bool) -> None:
        self._core.submit(engine_request(self._bench, seed, Request(ended), streams=streams))


def engine_request(bench: Bench, seed: int, listener: Request, *, streams: bool) -> EngineRequest:
    """One segment in a voice that is known."""
    ids, transcript = list(range(1, bench.size.n_ids + 1)), list(range(1, _TRANSCRIPT_IDS + 1))
    asked = SpeechRequest("check", "", cast(Voice, None), SamplingOptions(seed=seed), streams=streams)
    segment = Segment(ids, VoicedPrompt(transcript, bench.voice(seed)))
    chunks = bench.config.stream_chunks if streams else ()
    return EngineRequest(asked, [segment], listener, chunks=chunks)


def _serving(bench: Bench, *, deterministic: bool = False) -> Serving:
    key = ("serving", deterministic)
    held: Serving = bench.hold(key, partial(Serving, bench, deterministic=deterministic))
    return held


def _next(ended: queue.SimpleQueue[Request]) -> Request:
    request = ended.get(timeout=_PATIENCE_S)
    if request.error is not None:
        raise request.error
    return request


def load(at_once: int, streams: bool, bench: Bench) -> Measured:
    """Requests in known voices, `at_once` of them at any time."""
    serving, n = _serving(bench), bench.size.requests[at_once]
    started = time.perf_counter()
    done = serving.speak(range(n), streams=streams, at_once=at_once)
    wall_s = time.perf_counter() - started
    first = [request.first_ms for request in done]
    figures: Measured = {
        "first audio ms p50": percentile(first, 50),
        "p95": percentile(first, 95),
        "RTF p95": percentile([request.total_s / request.audio_s for request in done], 95),
        "audio s/s": sum(request.audio_s for request in done) / wall_s,
    }
    if streams:
        figures["longest gap ms"] = max(request.gap_ms for request in done)
    return figures


def burst(bench: Bench) -> Measured:
    done = _serving(bench).speak(range(_BURST), streams=True, at_once=_BURST)
    return {
        "first": min(request.first_ms for request in done),
        "last": max(request.first_ms for request in done),
    }


def same_bytes(deterministic: bool, bench: Bench) -> Measured:
    """The PCM of a streamed request; where it differs, whether its speech tokens do as well."""
    serving = _serving(bench, deterministic=deterministic)
    alone = serving.beside(0, [])
    heard = {
        "again": serving.beside(0, []),
        "in slot 1 beside another": serving.beside(0, [1]),
        "beside 15": serving.beside(0, range(1, _BURST)),
    }
    figures: Measured = {}
    for what, request in heard.items():
        tokens = "same tokens" if request.tokens == alone.tokens else "other tokens"
        figures[what] = "same" if request.pcm == alone.pcm else f"other bytes, {tokens}"
    return figures


def waits(bench: Bench) -> Measured:
    """How often the host waits for the device in one request, and from where most often."""
    serving = _serving(bench)
    gpu = bench.device.type == "cuda"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if gpu:
            torch.cuda.set_sync_debug_mode("warn")
        try:
            (request,) = serving.speak([0], streams=True)
        finally:
            if gpu:
                torch.cuda.set_sync_debug_mode("default")
    places = Counter(
        f"{Path(each.filename).name}:{each.lineno}" for each in caught if "synchroniz" in str(each.message)
    )
    windows = len(request.chunks)
    most = ", ".join(f"{place} {n}" for place, n in places.most_common(5))
    return {
        "in all": sum(places.values()),
        "for ids, steps and waves": len(request.tokens) + windows * (bench.config.flow_steps + 1),
        "most at": most or "none seen",
    }


def memory(bench: Bench) -> Measured:
    """After the requests above: GiB of weights, cache and all that PyTorch holds or has held; what the
    process's context and libraries take beside it, and other users; pinned MiB of the host."""
    serving = _serving(bench)
    positions = bench.config.n_slots * bench.slot_length
    cache = positions * KVCache.bytes_per_position(bench.size.llm, bench.runner.dtype)
    figures: Measured = {
        "cache GiB": cache / GIB,
        "engine start s": serving.start_s,
        "first request s": serving.first_s,
        "second": serving.second_s,
    }
    if bench.device.type == "cuda":
        free, total = torch.cuda.mem_get_info(bench.device)
        reserved = torch.cuda.memory_reserved(bench.device)
        pinned = torch.cuda.host_memory_stats().get("allocated_bytes.current", 0)
        figures |= {
            "weights, cache and buffers GiB": torch.cuda.memory_allocated(bench.device) / GIB,
            "peak GiB": torch.cuda.max_memory_reserved(bench.device) / GIB,
            "context, libraries and other users GiB": (total - free - reserved) / GIB,
            "pinned MiB": pinned / MIB,
        }
    return figures
