"""The measurements of scripts/gpu_check.sh that send whole requests through the engine's threads.

The requests consist of prepared token ids. Unlike a user's request they do not pass through the text front
end, the HTTP server and the connection to the engine process.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import cast

import numpy as np
import torch

from bench.gpu_models import CONFIG, MS, N_IDS, N_PROMPT, Bench
from bench.gpu_page import GIB
from glm_tts_api.contracts import AudioChunk, SamplingOptions, SpeechRequest, Voice
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.core import EngineCore
from glm_tts_api.engine.event_sink import EventSink
from glm_tts_api.engine.llm_prompt import Segment
from glm_tts_api.engine.messages import Speak
from glm_tts_api.engine.request import EngineRequest

Measured = dict[str, float | str]
_PATIENCE_S = 120.0
_BURST = 16
_ROUNDS = 3  # requests for each place of a load


class Request(EventSink):
    """The event sink of one request: it collects audio chunks with their times of arrival. `freed` is set
    when the engine has freed everything that the request used."""

    def __init__(self) -> None:
        super().__init__()
        self.freed, self.started_at = threading.Event(), time.perf_counter()
        self.chunks: list[tuple[float, AudioChunk]] = []
        self.total_s, self.error = 0.0, cast("Exception | None", None)

    def chunk_ready(self, chunk: AudioChunk) -> None:
        self.chunks.append((time.perf_counter() - self.started_at, chunk))

    def request_ended(self, error: Exception | None) -> None:
        self.total_s = time.perf_counter() - self.started_at
        self.error = error

    def request_freed(self) -> None:
        self.freed.set()

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

    def __init__(self, bench: Bench, *, config: EngineConfig = CONFIG) -> None:
        self.bench, models = bench, bench.models()
        bench.release()
        loaded: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self.core = EngineCore(config, on_fault=loaded.put)
        started = time.perf_counter()
        self.core.start(lambda: models, on_loaded=lambda _: loaded.put(None), on_failed=loaded.put)
        error = loaded.get()
        if error is not None:
            raise error
        self.start_s = time.perf_counter() - started
        torch.cuda.reset_peak_memory_stats(bench.device)

    def close(self) -> None:
        self.core.close()

    def speak(self, seeds: Iterable[int], *, streams: bool = True, at_once: int = 1) -> list[Request]:
        """Sends a request for each seed, with `at_once` requests in the engine at any time. Returns the
        requests in the order of the seeds."""
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(partial(self.one, streams=streams), seeds))

    def one(self, seed: int, *, streams: bool = True, **sizes: int) -> Request:
        """Returns a request that has ended. Raises its error if it has failed."""
        request = Request()
        self.core.submit(engine_request(self.bench, seed, request, streams=streams, **sizes))
        if not request.freed.wait(_PATIENCE_S):
            raise TimeoutError(f"no end of a request in {_PATIENCE_S:.0f} s")
        if request.error:
            raise request.error
        return request

    def load(self, at_once: int, *, streams: bool = True) -> Measured:
        """Sends requests in known voices, `at_once` of them at any time."""
        started = time.perf_counter()
        done = self.speak(range(_ROUNDS * at_once), streams=streams, at_once=at_once)
        wall_s = time.perf_counter() - started
        first = sorted(request.first_ms for request in done)
        return {
            "first audio ms p50": first[len(first) // 2],
            "p95": first[len(first) * 95 // 100],
            "RTF at most": max(request.total_s / request.audio_s for request in done),
            "audio s/s": sum(request.audio_s for request in done) / wall_s,
            "longest gap ms": max(request.gap_ms for request in done),
        }

    def burst(self) -> Measured:
        first = [request.first_ms for request in self.speak(range(_BURST), at_once=_BURST)]
        return {"first": min(first), "last": max(first)}

    def same_bytes(self) -> Measured:
        """Checks whether a streamed request has the same PCM again and beside others, in another slot."""
        alone = self.one(0).pcm
        beside = {"again": [0], "in slot 1 beside another": [1, 0], "beside 15": [*range(1, _BURST), 0]}
        heard = {what: self.speak(seeds, at_once=_BURST)[-1].pcm for what, seeds in beside.items()}
        return {what: "same" if pcm == alone else "other bytes" for what, pcm in heard.items()}

    def memory(self) -> Measured:
        """Returns GiB after other requests, and the seconds of the engine's start."""
        device = self.bench.device
        free, total = torch.cuda.mem_get_info(device)
        return {
            "engine start s": self.start_s,
            "allocated GiB": torch.cuda.memory_allocated(device) / GIB,
            "peak GiB": torch.cuda.max_memory_reserved(device) / GIB,
            "context, libraries and others GiB": (total - free - torch.cuda.memory_reserved(device)) / GIB,
        }


def engine_request(
    bench: Bench, seed: int, sink: Request, *, streams: bool, n_ids: int = N_IDS, n_prompt: int = N_PROMPT
) -> EngineRequest:
    """Makes an engine request of one segment of fixed text ids, in the bench's voice number `seed`."""
    asked = SpeechRequest("check", "", cast(Voice, None), SamplingOptions(seed=seed), streams=streams)
    segment = Segment(list(range(1, n_ids + 1)), bench.voice(seed, n_prompt))
    chunks = bench.config.stream_chunks if streams else ()
    return EngineRequest(Speak(0, asked), [segment], sink, chunks=chunks)
