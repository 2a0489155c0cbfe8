"""The composition root: builds the rooms, joins them, and owns the life of one worker process.

`uvicorn glm_tts_api.api_server:app` serves it; whoever brings their own server calls `create_app`.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from glm_tts_api import __version__, watchdog
from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.error_handlers import error_response, install_error_handlers
from glm_tts_api.api.openapi import name_bodies, operation_id
from glm_tts_api.api.routes import ROUTERS
from glm_tts_api.api.v1.metrics import keep_gauges, keep_loop_lag
from glm_tts_api.api.v1.ops import DEMONSTRATION_NOTICE
from glm_tts_api.http.connections import ConnectionLimits, Connections, raise_file_limit
from glm_tts_api.http.cors import allow_origins
from glm_tts_api.http.drain import GracefulStop, InFlight
from glm_tts_api.http.listening import log_accept_errors_sparingly, private_listener
from glm_tts_api.http.middleware import OwnNames, RequestContext, SafeAnswers, UploadLimit
from glm_tts_api.logs import configure_logging
from glm_tts_api.run_folder import MARK_VARIABLE
from glm_tts_api.settings import BUNDLED_MODEL, SHIPPED_CONFIGS, Settings, SettingsError
from glm_tts_api.speech.admission import Admission
from glm_tts_api.speech.pools import Pools
from glm_tts_api.speech.service import SpeechEngine, SpeechService
from glm_tts_api.stats.lane_counts import private_counters
from glm_tts_api.stats.shared import SharedStats, WorkerRecord, service_of
from glm_tts_api.studio.encode import router as studio_encode_router
from glm_tts_api.studio.studio import router as studio_router
from glm_tts_api.text.markup.lexicon import LexiconFile
from glm_tts_api.text.phonemes.dictionaries import DictionaryFiles
from glm_tts_api.voices.store import VoiceStore

logger = logging.getLogger(__name__)

EngineBuilder = Callable[[Settings, int], SpeechEngine]
Claim = Callable[[Settings], tuple[SharedStats, WorkerRecord]]


def create_app(
    settings: Settings,
    *,
    build_engine: EngineBuilder | None = None,
    claim: Claim | None = None,
    limits: ConnectionLimits | None = None,
) -> FastAPI:
    """The whole server as an ASGI app. `build_engine` is given the settings and the worker's number; `claim`
    finds the figures that the workers share, and this worker's record among them."""
    in_flight = InFlight()
    limits = limits or ConnectionLimits(send_s=settings.stream_stall_s)
    app = FastAPIOffline(
        title="GLM-TTS API",
        version=__version__,
        description="Zero-shot voice cloning: text and a short recording in, speech out.",
        redoc_url=None,  # its page asks a CDN for a picture
        redirect_slashes=False,  # no path has one at its end by then: RequestContext
        generate_unique_id_function=operation_id,
        lifespan=partial(
            _lifespan,
            settings=settings,
            in_flight=in_flight,
            build_engine=build_engine or _build_engine,
            claim=claim or _claim_in_run_folder,
            limits=limits,
        ),
    )
    for router in (studio_router, studio_encode_router, *ROUTERS):
        app.include_router(router)
    name_bodies(app)
    install_error_handlers(app)
    web = settings.web
    app.add_middleware(
        UploadLimit,
        max_bytes=web.max_upload_bytes,
        max_text_bytes=web.max_text_bytes,
        timeout_s=settings.long_text_timeout,
        stalled_s=limits.body_s,
    )
    if not web.api_keys:
        app.add_middleware(OwnNames, allowed=web.allowed_hosts)
    app.add_middleware(RequestContext, in_flight=in_flight, limits=limits, answer_error=error_response)
    if web.cors_origins:
        allow_origins(app, web.cors_origins)
    app.add_middleware(SafeAnswers)  # the outermost: added last, so that every answer passes it
    return app


@asynccontextmanager
async def _lifespan(
    app: FastAPI,
    *,
    settings: Settings,
    in_flight: InFlight,
    build_engine: EngineBuilder,
    claim: Claim,
    limits: ConnectionLimits,
) -> AsyncIterator[dict[str, Any]]:
    """Begins to load the model; serves when it can speak, or at once where no other worker can tell how the
    loading goes."""
    log_accept_errors_sparingly(asyncio.get_running_loop())
    connections = Connections(limits, max_files=raise_file_limit())
    stop = GracefulStop(
        in_flight, connections, timeouts_s=settings.stop_timeouts, in_charge=partial(_is_in_charge, settings)
    )
    with stop.installed():
        stats, record = claim(settings)
        connections.is_lightest = partial(stats.is_lightest, record)
        connections.others_take = partial(stats.leave_to_others, record)
        pools = Pools()
        state = AppState(
            config=settings.web,
            speech=SpeechService(
                engine=build_engine(settings, record.number),
                admission=Admission(settings.admission, record.lanes),
                verification=Admission(settings.admission, private_counters()),
                figures=record.figures,
                pools=pools,
                prompt_limits=settings.recordings,
                is_stopping=lambda: in_flight.closing,
            ),
            beside=Admission(settings.beside, private_counters()),
            stats=stats,
            number=record.number,
            voices=_voice_store(settings),
            lexicon=_lexicon(settings),
            in_flight=in_flight,
            limits=limits,
            pools=pools,
        )
        app.state.parts = state
        _log_start(settings, record.number, connections)
        await asyncio.to_thread(state.voices.list_voices)  # says now what is wrong with the files
        state.speech.engine.start()
        watch = asyncio.create_task(watchdog.watch(state, record, settings))
        gauges = [asyncio.create_task(each) for each in (keep_gauges(state), keep_loop_lag(record.figures))]
        try:
            if not _is_in_charge(settings):
                private = settings.run_folder.generation / f"worker-{record.number}.sock"
                async with private_listener(app, private, connections):
                    while not in_flight.closing and not _is_in_charge(settings):  # noqa: ASYNC110, a file tells it
                        await asyncio.sleep(0.1)
            while not in_flight.closing and not stats.may_listen(record):  # noqa: ASYNC110, files tell it
                await asyncio.sleep(0.1)
            await stop.done()  # where it was told to end: what comes then is not for it to take
            yield {"connections": connections}
        finally:
            watch.cancel()
            for each in gauges:
                each.cancel()
            await state.speech.engine.close()
            state.pools.close()
            record.release(n_ended=in_flight.n_ended, n_cut=in_flight.n_cut)


def _is_in_charge(settings: Settings) -> bool:
    """Whether this server is to have the port: not while it is tried beside the one that has it, and no
    longer when that was passed on."""
    return MARK_VARIABLE not in os.environ or settings.run_folder.is_in_charge(_server_pid())


def _claim_in_run_folder(settings: Settings) -> tuple[SharedStats, WorkerRecord]:
    stats = SharedStats(settings.run_folder.generation, service=service_of(_server_pid()))
    return stats, stats.claim()


def _voice_store(settings: Settings) -> VoiceStore:
    return VoiceStore(
        settings.configs_dir / "prompt_cache.json",
        settings.path(settings.prompts_dir),
        limits=settings.recordings,
        max_characters=settings.prompt_max_characters,
        room=settings.store,
        bundled=BUNDLED_MODEL / "prompts",
        default=SHIPPED_CONFIGS / "prompt_cache.json",
    )


def _lexicon(settings: Settings) -> LexiconFile:
    files = DictionaryFiles(settings.configs_dir, SHIPPED_CONFIGS)
    return LexiconFile(settings.configs_dir, files)


def _build_engine(settings: Settings, number: int) -> SpeechEngine:
    """The engine that speaks; another need not load torch."""
    from glm_tts_api.engine.engine import Engine
    from glm_tts_api.engine.torch_flags import set_torch_flags
    from glm_tts_api.model.checkpoint import Models, load_checkpoint
    from glm_tts_api.model.placement import choose_device, placement_warnings
    from glm_tts_api.text.frontend import TextFrontend

    def load_models() -> Models:
        device = choose_device(settings.device, nth=number)
        warnings = placement_warnings(settings.device, dtype=settings.dtype)
        for warning in warnings:
            logger.warning(warning)
        set_torch_flags(device, os.environ)
        models = load_checkpoint(settings.checkpoint_dir, device=device, dtype=settings.dtype)
        return replace(models, warnings=tuple(warnings))

    def load_frontend() -> TextFrontend:
        frontend = TextFrontend(
            settings.configs_dir,
            cache_dir=settings.cache_dir,
            rules=settings.text_rules,
            shipped=SHIPPED_CONFIGS,
            max_characters=settings.max_text_length,
        )
        for warning in frontend.warnings:
            logger.warning(warning)
        return frontend

    return Engine(settings.engine, load_models=load_models, load_frontend=load_frontend)


def _log_start(settings: Settings, number: int, connections: Connections) -> None:
    logger.info(
        "Worker %d of %d loads %s; CPU threads: %d",
        number + 1,
        settings.workers,
        settings.checkpoint_dir,
        settings.engine.threads,
    )
    if number == 0:
        shortage = connections.shortage(settings.admission.most_requests)
        for warning in [*settings.warnings, *([shortage] if shortage else [])]:
            logger.warning(warning)
    if settings.is_demonstration:
        logger.warning(DEMONSTRATION_NOTICE)


def _server_pid() -> int:
    """Of the process that all workers of one start of the service have as their parent, or this one."""
    parent = multiprocessing.parent_process()
    return os.getpid() if parent is None or parent.pid is None else parent.pid


def __getattr__(name: str) -> Any:
    """`app` is made when uvicorn asks for it, so that importing this module reads no environment."""
    if name != "app":
        raise AttributeError(name)
    try:
        settings = Settings.load()
    except SettingsError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    configure_logging(as_json=settings.log_format == "json", with_texts=settings.log_text)
    return create_app(settings)
