"""Operations: the server's health and figures, also for Prometheus, and a route that frees memory."""

from __future__ import annotations

import asyncio
import os
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from glm_tts_api import __version__
from glm_tts_api.api.access import MetricsKeyRequired, WriterRequired
from glm_tts_api.api.app_state import AppState, AppStateDep
from glm_tts_api.api.dialects import OWN
from glm_tts_api.api.v1.ops_schemas import Alive, ClearedCache, ConcurrencyStats, Health
from glm_tts_api.commands import DOWNLOAD, START
from glm_tts_api.contracts import SAMPLE_RATE
from glm_tts_api.errors import without_paths
from glm_tts_api.longform.jobs import Jobs
from glm_tts_api.speech.request_log import RequestLog
from glm_tts_api.speech.service import SpeechService
from glm_tts_api.stats import metrics as series
from glm_tts_api.stats.exposition import CONTENT_TYPE, exposition
from glm_tts_api.stats.lanes import LANES, LaneName
from glm_tts_api.stats.metrics import Metrics
from glm_tts_api.stats.workers import LaneCounts, WorkerStats, no_counts

DEMONSTRATION_NOTICE = (
    "This is the bundled demonstration model, a hundredth of the real one's size. "
    f"For the official GLM-TTS: {DOWNLOAD}, then {START}"
)

_EVERY_S = 1.0
_TICK_S = 0.02
metrics_router = APIRouter(include_in_schema=False, dependencies=[MetricsKeyRequired])
health_router = APIRouter(prefix="/api/v1", tags=["operations"])  # asked by probes, which have no key
ops_router = OWN.router("/api/v1", 401, 403, 500, tag="operations")


@health_router.get("/health", response_model=Health, responses={503: {"model": Health}})
async def health(state: AppStateDep) -> Response:
    """Says whether this server can speak. The status is 200 if one of its engines can, or if an idle engine
    would be loaded by the next request. It is 503 while the engines load or stall, while the server drains,
    or if all engines have failed."""
    body = await _health_body(state)
    speaks, may_soon = (body["status"] in each for each in (("healthy", "idle"), ("loading", "draining")))
    return JSONResponse(body, 200 if speaks else 503, headers={"Retry-After": "5"} if may_soon else {})


@health_router.get("/health/live", response_model=Alive)
async def live() -> dict[str, str]:
    """Answers 200 as long as the process runs, also while the model loads."""
    return {"status": "alive"}


@ops_router.get("/stats/concurrency", response_model=ConcurrencyStats)
async def concurrency_stats(state: AppStateDep) -> dict[str, Any]:
    """Figures of both lanes (one for short texts, one for long texts), summed over all engines. `per_worker`
    has the figures of each engine. `total` counts the requests admitted since the service started.
    `config.concurrency` is the setting for each engine. `active` lists the requests that wait or are being
    spoken, with their progress; `recent` lists the last requests that have ended. `worker` is the server's
    process."""
    workers = await asyncio.to_thread(state.read_stats)
    return {"success": True, **_stats_body(state, workers)}


@ops_router.post("/clear_cache", response_model=ClearedCache, dependencies=[WriterRequired])
async def clear_cache(state: AppStateDep) -> dict[str, Any]:
    """Frees memory: the recordings and computed features of voices that are kept in memory, and the memory
    that the allocator caches. The model stays loaded."""
    freed = state.voices.clear_cache() + await state.speech.engines.clear_cache()
    return {"success": True, "message": f"Freed {freed / 2**20:.1f} MB.", "freed_bytes": freed}


async def _health_body(state: AppState) -> dict[str, Any]:
    voices, warnings = await asyncio.to_thread(
        lambda: (len(state.voices.list_voices()), state.voices.warnings)
    )
    info = state.speech.engines.info()
    warnings = [*warnings, *state.background.warnings]
    if fault := state.speech.recogniser.fault:
        warnings.append(fault)
    status, cause = state.speech.status, state.speech.engines.state.cause
    config, streaming = state.config, info.streaming if info else None
    return {
        "status": status,
        "model_loaded": state.speech.engines.state.status == "ready",
        "model_sample_rate": SAMPLE_RATE,
        "model_use_phoneme": False,
        "prompt_cache_count": voices,
        "model": state.model_label,
        "demonstration": config.is_demonstration,
        "notice": DEMONSTRATION_NOTICE if config.is_demonstration else None,
        "commands": [DOWNLOAD, START] if config.is_demonstration else [],
        "device": info.device if info else None,
        "dtype": info.dtype if info else None,
        "flow_steps": info.flow_steps if info else None,
        "decode_kernels": info.decode_kernels if info else None,
        "recogniser": state.speech.recogniser.is_there,
        "version": __version__,
        "uptime_s": round(time.monotonic() - state.started_at, 1),
        "streaming": None
        if streaming is None
        else {
            "first_audio_s": round(streaming.first_audio_s, 3),
            "runs_dry": streaming.runs_dry,
            "longest_gap_s": round(streaming.longest_gap_s, 3),
        },
        "cause": without_paths(cause) if cause else None,
        "warnings": [without_paths(warning) for warning in (*warnings, *(info.warnings if info else ()))],
    }


def _stats_body(state: AppState, workers: list[WorkerStats]) -> dict[str, Any]:
    live = [worker for worker in workers if worker.alive]
    return {
        "stats": {
            lane: _lane_body(
                {count: sum(worker.lanes[lane][count] for worker in workers) for count in no_counts()},
                sum(worker.limits[lane] for worker in live),
            )
            for lane in LANES
        },
        "config": _config_body(state),
        "per_worker": [_worker_body(worker) for worker in live],
        "worker": {"slot": 0, "pid": os.getpid()},
        "active": list(_active_bodies(state.speech)),
        "recent": [{**_progress_body(log), "outcome": log.outcome} for log in state.speech.recent],
    }


def _active_bodies(speech: SpeechService) -> Iterator[dict[str, Any]]:
    """Yields the active requests in the order in which they came, each with its position in its lane's
    queue. A client's requests have the same order in the queue."""
    places: defaultdict[tuple[LaneName | None, str], deque[int]] = defaultdict(deque)
    for lane in LANES:
        for place, client in enumerate(speech.admission.lanes[lane].order(), start=1):
            places[lane, client].append(place)
    for log in speech.active:
        of_client = places[log.lane, log.client.name]
        yield {
            **_progress_body(log),
            "state": "waiting" if log.state == "queued" else "speaking",
            "place": of_client.popleft() if log.state == "queued" and of_client else None,
        }


def _progress_body(log: RequestLog) -> dict[str, Any]:
    return {
        "request_id": log.request_id,
        "lane": log.lane,
        "characters": log.length.n_chars if log.length else 0,
        "segments": log.timings.segments or None,
        "segments_done": len(log.ends),
        "ends": [round(seconds, 3) for seconds in log.ends],
        "audio_seconds": round(log.audio_done_s, 3),
        "age_seconds": round(log.age_s, 1),
        "stages": {stage: round(seconds, 3) for stage, seconds in log.timings.stage_s.items()},
    }


def _worker_body(worker: WorkerStats) -> dict[str, Any]:
    return {
        "slot": worker.number,
        "pid": worker.pid,
        "ready": worker.ready,
        "status": worker.phase,
        "restarts": worker.restarts,
        **{lane: _lane_body(worker.lanes[lane], worker.limits[lane]) for lane in LANES},
    }


def _lane_body(counts: LaneCounts, limit: int) -> dict[Any, int]:
    return {**counts, "limit": limit, "available": max(0, limit - counts["active"])}


def _config_body(state: AppState) -> dict[str, Any]:
    limits = state.speech.admission.config
    return {
        "concurrency": {**limits.limits, "threshold": limits.threshold},
        "timeout": {texts: _whole(seconds) for texts, seconds in limits.timeouts_s.items()},
        "queue": {"max_size": limits.queue_size},
        "workers": state.config.workers,
    }


def _whole(seconds: float) -> float:
    """Returns a whole number of seconds as an int (60, not 60.0), and any other number as it is."""
    return int(seconds) if seconds.is_integer() else seconds


@metrics_router.get("/metrics")
async def metrics(state: AppStateDep) -> Response:
    """Returns the figures of every engine in the text format of Prometheus, also while the model loads. Those
    of each key are left out without METRICS_KEY, since anybody could read the names of the keys."""
    of_keys = state.speech.of_keys if state.config.metrics_key else None
    body = await asyncio.to_thread(
        lambda: exposition(state.read_stats(), n_workers=state.config.workers, of_keys=of_keys)
    )
    return Response(body, media_type=CONTENT_TYPE)


async def keep_gauges(speech: SpeechService, jobs: Jobs) -> None:
    """Runs until it is cancelled. Once a second, writes into the metrics how many decode rows, KV cells and
    bytes of GPU memory each engine uses, and how many jobs are in each state. Removes these metrics of an
    engine that is not ready."""
    while True:
        for engine, metrics in zip(speech.engines.each, speech.metrics_of, strict=True):
            usage = engine.usage
            if usage is None:  # not ready, or unloaded: the last values no longer hold
                metrics.forget_gauges()
                continue
            metrics.set(series.DECODE_ROWS_ACTIVE, usage.rows_active)
            metrics.set(series.DECODE_ROWS, usage.rows)
            metrics.set(series.KV_CELLS_USED, usage.kv_cells_used)
            metrics.set(series.KV_CELLS, usage.kv_cells)
            if usage.gpu_bytes is not None:
                metrics.set(series.GPU_USED, usage.gpu_bytes[0])
                metrics.set(series.GPU_TOTAL, usage.gpu_bytes[1])
        for state, n_jobs in jobs.states().items():
            speech.metrics_of[0].set(series.JOBS, n_jobs, state=state)
        await asyncio.sleep(_EVERY_S)


async def keep_loop_lag(metrics: Metrics) -> None:
    """Runs until it is cancelled. Every 20 ms, writes into the metrics how many seconds late the event loop
    comes to a timer."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _TICK_S
        await asyncio.sleep(_TICK_S)
        metrics.observe(series.EVENT_LOOP_LAG, max(0.0, loop.time() - due))
