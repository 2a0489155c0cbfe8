"""GET /metrics: the figures of the whole service for Prometheus. Also keeps those figures up to date that
change without a request."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response

from glm_tts_api.api.access import MetricsKeyRequired
from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.longform.jobs import Jobs
from glm_tts_api.speech.service import SpeechService
from glm_tts_api.stats import figures as series
from glm_tts_api.stats.exposition import CONTENT_TYPE, exposition
from glm_tts_api.stats.figures import Figures

_EVERY_S = 1.0
_TICK_S = 0.02

router = APIRouter(include_in_schema=False, dependencies=[MetricsKeyRequired])


@router.get("/metrics")
async def metrics(state: AppStateDep) -> Response:
    """Returns the figures of every engine in the text format of Prometheus, also while the model loads."""
    return Response(await asyncio.to_thread(_exposition, state), media_type=CONTENT_TYPE)


def _exposition(state: AppState) -> bytes:
    """Returns the figures of every engine. The counts of each key are left out unless METRICS_KEY is set,
    since anybody could read the names of the keys. Blocking."""
    of_keys = state.speech.of_keys if state.config.metrics_key else None
    return exposition(state.read_stats(), n_workers=state.config.workers, of_keys=of_keys)


async def keep_gauges(speech: SpeechService, jobs: Jobs) -> None:
    """Runs until it is cancelled. Once a second, writes into the figures how many decode rows, KV cells and
    bytes of GPU memory each engine uses, and how many jobs are in each state. Removes these figures of an
    engine that is not ready."""
    while True:
        for engine, figures in zip(speech.engines.each, speech.figures_of, strict=True):
            usage = engine.usage()
            if usage is None:  # not ready, or unloaded: the last values no longer hold
                figures.forget_gauges()
                continue
            figures.set(series.DECODE_ROWS_ACTIVE, usage.rows_active)
            figures.set(series.DECODE_ROWS, usage.rows)
            figures.set(series.KV_CELLS_USED, usage.kv_cells_used)
            figures.set(series.KV_CELLS, usage.kv_cells)
            if usage.gpu_bytes is not None:
                used, total = usage.gpu_bytes
                figures.set(series.GPU_USED, used)
                figures.set(series.GPU_TOTAL, total)
        for state, n_jobs in jobs.states().items():
            speech.figures.set(series.JOBS, n_jobs, state=state)
        await asyncio.sleep(_EVERY_S)


async def keep_loop_lag(figures: Figures) -> None:
    """Runs until it is cancelled. Every 20 ms, writes into the figures how many seconds late the event loop
    comes to a timer."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _TICK_S
        await asyncio.sleep(_TICK_S)
        figures.observe(series.EVENT_LOOP_LAG, max(0.0, loop.time() - due))
