"""The measurements of scripts/gpu_check.sh that send whole requests through the engine's threads.

The requests consist of prepared token ids. Unlike a user's request they do not pass through the text front
end, the HTTP server and the connection to the engine process.
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

from bench.gpu_models import Bench
from bench.gpu_timing import GIB, MIB, MS, percentile
from glm_tts_api.contracts import AudioChunk, SamplingOptions, SpeechRequest, Voice
from glm_tts_api.engine.core import EngineCore
from glm_tts_api.engine.event_sink import EventSink
from glm_tts_api.engine.llm_prompt import Segment
from glm_tts_api.engine.messages import Speak
from glm_tts_api.engine.request import EngineRequest
from glm_tts_api.model.kv_cache import KVCache

Measured = dict[str, float | str]
_TRANSCRIPT_IDS = 20
_PATIENCE_S = 120.0
_BURST = 16


@dataclass(eq=False)
class Request(EventSink):
    """The event sink of one request: it collects tokens and audio chunks.

    The sink puts itself on the queue `ended` when the engine has freed everything that the request used.
    """

    ended: queue.SimpleQueue[Request]
    started_at: float = field(default_factory=time.perf_counter)
    closed: bool = False
    full: bool = False
    total_s: float = 0.0
    tokens: list[int] = field(default_factory=list)
    chunks: list[tuple[float, AudioChunk]] = field(default_factory=list)  # (time of arrival, chunk)
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
        """The longest silence in ms of a player that plays each chunk as soon as it arrives."""
        gap, heard_until = 0.0, self.chunks[0][0]
        for came, chunk in self.chunks:
            gap = max(gap, came - heard_until)
            heard_until = max(heard_until, came) + chunk.seconds
        return MS * gap

    @property
    def pcm(self) -> bytes:
        return np.concatenate([chunk.pcm for _, chunk in self.chunks]).tobytes()


class Serving:
    """A running engine in this process, with the models of a Bench. `close` ends its threads."""

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
        """Sends a request for each seed, with `at_once` requests in the engine at any time.

        Returns the requests in the order in which they ended. Raises the error of a request that fails.
        """
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
        """Sends the requests of `others`, then that of `seed`, so that it gets another slot of the batch.

        Waits until all requests have ended, and returns the request of `seed`.
        """
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


def engine_request(bench: Bench, seed: int, sink: Request, *, streams: bool) -> EngineRequest:
    """Makes an engine request of one segment of fixed text ids, in the bench's voice number `seed`."""
    ids, transcript = list(range(1, bench.size.n_ids + 1)), list(range(1, _TRANSCRIPT_IDS + 1))
    asked = SpeechRequest("check", "", cast(Voice, None), SamplingOptions(seed=seed), streams=streams)
    segment = Segment(ids, bench.voice(seed, transcript))
    chunks = bench.config.stream_chunks if streams else ()
    return EngineRequest(Speak(0, asked), [segment], sink, chunks=chunks)


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
    """Sends requests in known voices, `at_once` of them at any time. Returns latencies, RTF, throughput."""
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
    """Checks whether a streamed request has the same PCM bytes again, in another slot, and beside 15 others.

    Where the bytes differ, the figure says whether the speech tokens differ too.
    """
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
    """Counts how often the host waits for the device in one request, and names the most frequent places."""
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
        "for ids, steps and waves": len(request.tokens) + windows * (bench.size.flow.steps + 1),
        "most at": most or "none seen",
    }


def memory(bench: Bench) -> Measured:
    """Returns memory figures and the start times of the engine, measured after other requests.

    The figures are GiB of the KV cache, of PyTorch's present and largest allocation, and of the remaining use
    of the GPU (CUDA context, libraries, other programs), and MiB of pinned host memory.
    """
    serving = _serving(bench)
    positions = bench.config.n_rows * bench.slot_length
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
