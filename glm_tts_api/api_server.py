"""The composition root: builds the server's parts, connects them, and starts and stops them.

`uvicorn glm_tts_api.api_server:app` serves the application. Other ASGI servers get it from `create_app`.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from glm_tts_api import __version__
from glm_tts_api.api.app_state import AppState, Background
from glm_tts_api.api.error_responses import error_response, install_error_handlers
from glm_tts_api.api.keys import Keys
from glm_tts_api.api.openapi import name_bodies, operation_id
from glm_tts_api.api.routes import FILES_IN_JSON, ROUTERS, heads
from glm_tts_api.api.v1.job_speech import speaking_with
from glm_tts_api.api.v1.ops import DEMONSTRATION_NOTICE, keep_gauges, keep_loop_lag
from glm_tts_api.engine.child import COMMAND, Spawned
from glm_tts_api.engine.client import EngineClient
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.messages import Load
from glm_tts_api.engine.spare_memory import keep_memory_small
from glm_tts_api.errors import StartupError
from glm_tts_api.http.connections import ConnectionLimits, Connections, raise_file_limit
from glm_tts_api.http.drain import GracefulStop, InFlight
from glm_tts_api.http.middleware import RequestContext
from glm_tts_api.http.upload_limit import UploadLimit
from glm_tts_api.lexicon import LexiconFile
from glm_tts_api.logs import configure_logging
from glm_tts_api.longform.jobs import Jobs
from glm_tts_api.longform.outputs import Outputs
from glm_tts_api.recognition.recogniser import Recogniser
from glm_tts_api.service.run_folder import RunFolder
from glm_tts_api.settings import Settings
from glm_tts_api.speech.admission import Admission
from glm_tts_api.speech.background_slots import BackgroundSlots
from glm_tts_api.speech.engines import Engines
from glm_tts_api.speech.pools import Pools
from glm_tts_api.speech.recent import RecentAnswers
from glm_tts_api.speech.service import SpeechService
from glm_tts_api.stats import metrics
from glm_tts_api.stats.lanes import LANES
from glm_tts_api.stats.metrics import Metrics
from glm_tts_api.stats.workers import WorkerStats
from glm_tts_api.studio.studio import router as studio_router

logger = logging.getLogger(__name__)
_LOOK_EVERY_S = 0.1

EngineBuilder = Callable[[Settings, int], Any]  # returns an EngineClient, or what has its methods
_MOST_LISTENING_THREADS = 4
# An engine's process is ended after this many times the length of a step that counts as a stall.
_STALLS_TO_THE_END = 4
ReadStats = Callable[[], list[WorkerStats]]


def create_app(
    settings: Settings,
    *,
    build_engine: EngineBuilder | None = None,
    with_others: Callable[[ReadStats], ReadStats] | None = None,
    limits: ConnectionLimits | None = None,
    recent: RecentAnswers | None = None,
) -> FastAPI:
    """Makes the whole server as an ASGI application. `build_engine` makes an engine from the settings and the
    engine's number; by default each engine is a process of its own. `with_others` is for a cluster: it adds
    other servers' figures to this server's. Such a server takes requests only once it can speak."""
    in_flight, keys, limits = InFlight(), settings.read_keys(), limits or ConnectionLimits()
    build, answers = build_engine or engine_process, recent or RecentAnswers()
    app = FastAPIOffline(
        title="GLM-TTS API",
        version=__version__,
        description="Zero-shot voice cloning: text and a short recording in, speech out.",
        redoc_url=None,  # ReDoc's page loads a picture from a CDN
        redirect_slashes=False,  # RequestContext has removed a slash at the path's end
        generate_unique_id_function=operation_id,
        lifespan=lambda app: _lifespan(app, settings, keys, in_flight, build, with_others, limits, answers),
    )
    for router in (studio_router, *ROUTERS):
        app.include_router(router)
    app.router.routes.extend(heads(app.router))  # HEAD of /docs
    name_bodies(app)
    install_error_handlers(app)
    web = settings.web
    app.add_middleware(
        UploadLimit,
        max_bytes=web.max_upload_bytes,
        max_text_bytes=web.max_text_bytes,
        timeout_s=settings.long_text_timeout,
        limits=limits,
        files_in_json=FILES_IN_JSON,
    )
    own_names = None if keys.are_needed else web.allowed_hosts
    # The outermost: added last, so that every answer passes it.
    app.add_middleware(RequestContext, in_flight, limits, error_response, web.cors_origins, own_names)
    return app


@asynccontextmanager
async def _lifespan(
    app: FastAPI,
    settings: Settings,
    keys: Keys,
    in_flight: InFlight,
    build_engine: EngineBuilder,
    with_others: Callable[[ReadStats], ReadStats] | None,
    limits: ConnectionLimits,
    recent: RecentAnswers,
) -> AsyncIterator[dict[str, Any]]:
    """Starts the server's parts, and stops them at the end. Requests are served while the engines still load
    their models, so that clients can ask for the server's state; with `with_others`, only after that."""
    connections = Connections(limits, max_files=raise_file_limit())
    stop = GracefulStop(
        in_flight, connections, timeouts_s=settings.stop_timeouts, successor=RunFolder.of(settings)
    )
    with stop.installed():
        speech = _speech(settings, build_engine, is_stopping=lambda: in_flight.closing)
        speech.engines.start()  # first: loading takes longest
        state = AppState(
            config=settings.web,
            keys=keys,
            speech=speech,
            background_admission=Admission(settings.admission.on_rows(len(LANES))),
            read_stats=with_others(speech.read_stats) if with_others else speech.read_stats,
            jobs=Jobs(
                settings.jobs,
                speaking_with(speech),
                count_unit=lambda: speech.metrics_of[0].add(metrics.JOB_UNITS),
                n_owners=keys.count,
            ),
            outputs=Outputs(),
            voices=settings.voice_store(),
            lexicon=LexiconFile(settings.configs_dir),
            recent=recent,
            in_flight=in_flight,
            limits=limits,
            pools=speech.pools,
            background=Background(),
        )
        app.state.parts = state
        _log_start(settings, connections)
        await asyncio.to_thread(state.voices.list_voices)  # logs now what is wrong with the voices' files
        tasks: dict[str, Callable[[], Awaitable[None]]] = {
            "figures of engines and jobs": partial(keep_gauges, speech, state.jobs),
            "lag of the event loop": partial(keep_loop_lag, speech.metrics_of[0]),
            "idle engines": partial(_unload_idle, speech, settings),
            "freed memory": keep_memory_small,
            "jobs": partial(state.jobs.keep_going, speech.is_stopping),
        }
        background = [asyncio.create_task(state.background.keep(name, run)) for name, run in tasks.items()]
        try:
            if with_others:
                await speech.engines.loaded()
            await stop.done()  # a server that was told to end while it started takes no requests
            yield {"connections": connections}
        finally:
            for each in background:
                each.cancel()
            await asyncio.gather(*background, return_exceptions=True)
            state.outputs.close()
            await speech.engines.close()
            await speech.recogniser.close()
            speech.pools.close()


def _speech(
    settings: Settings, build_engine: EngineBuilder, *, is_stopping: Callable[[], bool]
) -> SpeechService:
    numbers = range(settings.workers)
    engines = Engines([build_engine(settings, number) for number in numbers])
    admission = Admission(settings.admission, settings.workers, engines.rank, engines.n_rows)
    engines.changed = admission.look_again
    return SpeechService(
        engines=engines,
        admission=admission,
        verification=Admission(settings.admission, settings.workers),
        background=BackgroundSlots(admission, settings.workers),
        metrics_of=[Metrics() for _ in numbers],
        pools=Pools(),
        prompt_limits=settings.recordings,
        is_stopping=is_stopping,
        recogniser=Recogniser(
            settings.asr_model_dir and settings.path(settings.asr_model_dir),
            threads=min(_MOST_LISTENING_THREADS, settings.cpu_threads),
        ),
    )


async def _unload_idle(speech: SpeechService, settings: Settings) -> None:
    while settings.idle_unload_s:
        speech.engines.unload_idle(settings.idle_unload_s)
        await asyncio.sleep(_LOOK_EVERY_S)


def engine_process(
    settings: Settings,
    number: int,
    *,
    config: EngineConfig | None = None,
    command: Sequence[str] = COMMAND,
    spawned: Sequence[Spawned] = (),
) -> EngineClient:
    """Makes the client of the engine `number`, which runs in its own process. `config` is by default that of
    the settings. The process is `spawned[number]` if it has been started already. Otherwise the client starts
    it with `command`."""
    config = config or settings.engine
    load = Load(
        number=number,
        n_engines=settings.workers,
        checkpoint_dir=str(settings.checkpoint_dir),
        device=settings.device,
        dtype=settings.dtype,
        config=config,
        text_rules=settings.text_rules,
        max_characters=settings.max_text_length,
        configs_dir=str(settings.configs_dir),
        cache_dir=str(settings.cache_dir),
        logs_json=settings.log_format == "json",
        logs_texts=settings.log_text,
    )
    first = spawned[number] if number < len(spawned) else None
    return EngineClient(load, watchdog_s=_STALLS_TO_THE_END * config.stall_s, command=command, first=first)


def _log_start(settings: Settings, connections: Connections) -> None:
    logger.info(
        "%d engine(s) load %s; CPU threads of each: %d",
        settings.workers,
        settings.checkpoint_dir,
        settings.engine.threads,
    )
    shortage = connections.shortage(settings.admission.most_requests(settings.workers))
    for warning in [*settings.warnings, *([shortage] if shortage else [])]:
        logger.warning(warning)
    if settings.is_demonstration:
        logger.warning(DEMONSTRATION_NOTICE)


def __getattr__(name: str) -> Any:
    """Makes `app` when uvicorn asks for it, so that an import does not read the environment. Sets up the log.
    Exits with code 2 if the settings are invalid. Raises AttributeError for any other name."""
    if name != "app":
        raise AttributeError(name)
    try:
        settings = Settings.load()
    except StartupError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    configure_logging(as_json=settings.log_format == "json", with_texts=settings.log_text)
    return create_app(settings)
