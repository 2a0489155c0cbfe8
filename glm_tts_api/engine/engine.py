"""The engine: takes requests and makes their speech, on its own threads. The engine's process calls it from
one thread. The engine calls each request's event sink on the thread where something happens.

One small pool of threads prepares the texts and voices of requests. Another pool answers questions about
texts and voices that are not to be spoken. The models run on the core's threads: one thread decodes, one or
several render.
"""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from glm_tts_api.contracts import Check
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.core import EngineCore
from glm_tts_api.engine.device_thread import limit_threads
from glm_tts_api.engine.event_sink import EventSink
from glm_tts_api.engine.faults import EngineLost, NobodyListens, as_service_error, device_lost, why_not_loaded
from glm_tts_api.engine.input_processor import InputProcessor
from glm_tts_api.engine.memory import gpu_bytes, why_fewer
from glm_tts_api.engine.messages import Read, Speak
from glm_tts_api.engine.spare_memory import SpareMemory, give_back
from glm_tts_api.engine.state import EngineInfo, EngineState, EngineUsage, Status
from glm_tts_api.engine.stream_pace import Pace, forecast
from glm_tts_api.engine.voice_features import VoiceFeatures
from glm_tts_api.engine.warm_up import WarmUp, patience
from glm_tts_api.errors import ServiceError
from glm_tts_api.model.checkpoint import Models

if TYPE_CHECKING:
    from speech_text import ShownReading, TextFrontend

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Loaded:
    """The engine's parts while a model is loaded. `patience`, which warm-up measures, is the factor by which
    the time limits of a model's step are multiplied."""

    models: Models
    features: VoiceFeatures
    processor: InputProcessor
    patience: float = 1.0


class Engine:
    """Turns requests into speech. `load_models` is called on the decode thread, `load_frontend` in the text
    pool. `on_lost` is called, from any thread, when the engine cannot speak any more; its argument is the
    reason. The requests that wait then never end by themselves. `info` are the facts about the engine; None
    until the model is loaded.

    `speak` begins to speak a request and returns at once; the engine must be ready. The event sink gets the
    audio and the end of the request, also if it fails."""

    def __init__(
        self,
        config: EngineConfig,
        *,
        load_models: Callable[[], Models],
        load_frontend: Callable[[], TextFrontend],
        on_lost: Callable[[EngineLost], None] = lambda _: None,
    ) -> None:
        self.state = EngineState("loading")
        self.info: EngineInfo | None = None
        self._config = config
        self._load_models = load_models
        self._load_frontend = load_frontend
        self._on_lost = on_lost
        self._core = EngineCore(config, on_fault=self._faulted)
        self._pool, self._readers = (
            ThreadPoolExecutor(
                config.text_threads, thread_name_prefix=name, initializer=limit_threads, initargs=(1,)
            )
            for name in ("text", "reading")
        )
        in_text_pool: Callable[..., object] = self._pool.submit
        self.speak: Callable[[Speak, EventSink], object] = partial(in_text_pool, self._prepare)
        self._spare_memory = SpareMemory(give_back)
        self._loaded: _Loaded | None = None
        self._started_at = self._ready_at = time.monotonic()
        self._changing = threading.Lock()

    def _enter(self, state: EngineState, *, after: Status) -> bool:
        """Changes the engine's state to `state` if its status is `after`. Returns whether it did. Any thread
        may call."""
        with self._changing:
            if self.state.status != after:
                return False
            self.state = state
            return True

    @property
    def step_s(self) -> float:
        """The seconds that the current step has taken so far, divided by the patience factor, which is above
        1 if the model is too large for the machine (warm_up.py).

        A step is a token for all rows, a chunk of a prompt, a flow step or a vocoder call. Time before the
        engine was ready does not count: some work is slow only once (the first use of weights, CUDA graphs,
        kernels that are compiled)."""
        patience = self._loaded.patience if self._loaded is not None else 1.0
        return min(self._core.step_s, time.monotonic() - self._ready_at) / patience

    def start(self) -> None:
        """Starts to load the models and returns at once. `state` says when the engine is ready, or why the
        load failed."""
        try:
            frontend = self._pool.submit(self._load_frontend)
            frontend.add_done_callback(self._frontend_ended)
            self._core.start(
                self._load_models,
                on_loaded=lambda models: self._models_loaded(models, frontend.result()),
                on_failed=self._failed,
            )
        except Exception as error:  # no thread can be started
            self._failed(error)

    def close(self) -> None:
        """Stops all work and joins the threads."""
        self._core.close()
        for pool in (self._pool, self._readers):
            pool.shutdown(cancel_futures=True)

    def wake(self) -> None:
        """Makes the threads notice requests that were cancelled, and requests whose sink can take more
        audio."""
        self._core.wake()

    def read(
        self, message: Read, *, check: Check, done: Callable[[ShownReading | ServiceError | None], None]
    ) -> None:
        """Finds out how a text would be read aloud, without speaking it. Calls `done` from another thread
        with the reading, with the error that prevented it, or with None. None means that `check`, which is
        called again and again, has raised NobodyListens."""
        assert self._loaded is not None
        frontend = self._loaded.processor.frontend

        def read() -> None:
            try:
                done(frontend.read(message.text, message.options, check, message.transcript).shown())
            except NobodyListens:
                done(None)
            except BaseException as error:
                done(as_service_error(error, "-", done="read", may_quote=True))

        self._readers.submit(read)

    def clear_cache(self) -> int:
        """Drops the cached voices and texts, and gives the allocators' cached memory back. Returns the bytes
        freed. Blocks until the decode thread has done its part. Does nothing and returns 0 until the model is
        loaded."""
        if (loaded := self._loaded) is None:
            return 0
        freed = loaded.features.clear() + loaded.processor.clear() + self._core.release_memory().result()
        give_back()
        return freed

    def usage(self) -> EngineUsage | None:
        """Returns how many decode rows and positions of the KV cache are in use, and the GPU's memory. None
        while the engine is not ready. Blocks for a short time."""
        if (loaded := self._loaded) is None or self.state.status != "ready":
            return None
        return EngineUsage(*self._core.in_use, gpu_bytes=gpu_bytes(loaded.models.llm.device))

    # -- text pool

    def _frontend_ended(self, frontend: Future[TextFrontend]) -> None:
        """Makes the load fail at once if the text front end could not be loaded: the model may take minutes
        longer."""
        if not frontend.cancelled() and (error := frontend.exception()) is not None:
            self._failed(error, "the text front end: ")

    def _prepare(self, message: Speak, sink: EventSink) -> None:
        assert self._loaded is not None

        def require_open() -> None:
            if sink.closed:
                raise NobodyListens

        try:
            require_open()
            with sink.stage("text"):
                request = self._loaded.processor.request(message, sink, require_open)
            self._core.decoder.layout.require_room(request.segments)
        except NobodyListens:
            sink.request_freed()
        except BaseException as error:  # every kind of error is reported, because the client waits
            sink.request_ended(
                as_service_error(error, message.request.request_id, done="prepared", may_quote=True)
            )
            sink.request_freed()
            if lost := device_lost(error):
                self._faulted(lost)
        else:
            self._core.submit(request)
            self._spare_memory.give_back_if_due()

    # -- decode and render threads

    def _models_loaded(self, models: Models, frontend: TextFrontend) -> None:
        self._config = config = self._config.on(models.llm.device.type)
        features = VoiceFeatures(models, config.cached_voices)
        processor = InputProcessor(models, frontend, features, config.stream_chunks, guard=config.guard)
        loaded = self._loaded = _Loaded(models, features, processor)
        self.info = self._facts(models)
        warm_up = WarmUp(models, features, on_done=lambda error: self._warmed_up(loaded, warm_up, error))
        for request in warm_up.requests():
            self._core.submit(request)

    def _facts(self, models: Models) -> EngineInfo:
        _, _, n_rows, _ = self._core.in_use
        n_asked = self._config.n_rows
        fewer = (why_fewer(n_asked, n_rows),) if n_rows < n_asked else ()
        return EngineInfo(
            model_name=models.name,
            device=str(models.llm.device),
            dtype=str(models.llm.dtype).removeprefix("torch."),
            warnings=(*models.warnings, *fewer),
            n_rows=n_rows,
            slot_length=self._core.decoder.layout.slot_length,
            flow_steps=self._config.steps_of(models.flow.config),
            decode_kernels=self._core.decoder.kernels,
            followed=models.followed,
        )

    def _warmed_up(self, loaded: _Loaded, warm_up: WarmUp, error: Exception | None) -> None:
        if error is not None:
            self._failed(error)
        elif self.state.status == "loading":
            begin = time.monotonic()
            self._core.measure(warm_up, lambda pace: self._measured(loaded, pace, begin))

    def _measured(self, loaded: _Loaded, pace: Pace | None, begin: float) -> None:
        if pace is None:
            logger.warning(
                "A usual request does not fit the memory, and only shorter ones are served: "
                "set SHORT_TEXT_CONCURRENCY and LONG_TEXT_CONCURRENCY lower"
            )
        else:
            streaming = forecast(pace, self._config.stream_chunks, gapless=self._config.gapless_start)
            self.info = replace(self._facts(loaded.models), streaming=streaming)
            loaded.patience = patience(pace, self._config, loaded.models.flow.config)
            logger.info("%s (%s, measured in %.1f s)", streaming, pace, time.monotonic() - begin)
        if self.state.status == "loading":
            gc.collect()
            gc.freeze()  # each collection would visit the models' many objects, which stay for ever: 0.2 s
            self._ready_at = time.monotonic()
            if self._enter(EngineState("ready"), after="loading"):
                logger.info("Ready after %.1f s: %s", time.monotonic() - self._started_at, self.info)

    # -- any thread

    def _faulted(self, error: BaseException) -> None:
        """Handles a fault that belongs to no request. While the engine loads, the fault makes the load fail.
        An EngineLost of a ready engine changes the state to "lost" and calls `on_lost`."""
        self._failed(error)
        if isinstance(error, EngineLost) and self._enter(EngineState("lost", str(error)), after="ready"):
            logger.critical("The engine cannot speak any more, and its process ends", exc_info=error)
            self._on_lost(error)

    def _failed(self, error: BaseException, part: str = "") -> None:
        """Changes the state from "loading" to "failed", with the error as the cause. Does nothing in any
        other state: errors after the first one follow from it. `part` begins the cause and names the failed
        part."""
        cause = part + why_not_loaded(error)
        if self._enter(EngineState("failed", cause), after="loading"):
            logger.error("The model could not be loaded: %s", cause, exc_info=error)
