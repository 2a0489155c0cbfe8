"""The engine: requests in, speech out, on threads of its own. Its process calls it from one thread, and each
request's listener is told from whichever thread something happens on.

Text and voice prompts are prepared in a small pool of threads, texts that are only read in another; the
models run on the core's threads: one that decodes, one or several that render.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from glm_tts_api.contracts import NO_PROGRESS, Progress, ReadingOptions, SpeechRequest
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.core import EngineCore
from glm_tts_api.engine.device_thread import limit_threads
from glm_tts_api.engine.faults import (
    EngineLost,
    NobodyListens,
    as_service_error,
    device_lost,
    why_not_loaded,
)
from glm_tts_api.engine.input_processor import InputProcessor
from glm_tts_api.engine.listener import RequestListener
from glm_tts_api.engine.loading import LoadedModel, Loading
from glm_tts_api.engine.memory import gpu_bytes, why_fewer
from glm_tts_api.engine.spare_memory import SpareMemory, give_back
from glm_tts_api.engine.state import EngineInfo, EngineState, EngineUsage, Status
from glm_tts_api.errors import ServiceError
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.text.cut.pieces import Check

if TYPE_CHECKING:
    from glm_tts_api.text.frontend import TextFrontend
    from glm_tts_api.text.reading import ShownReading

logger = logging.getLogger(__name__)


class Engine:
    """Speaks requests. `load_models` runs on the device thread, `load_frontend` in the text pool. `on_lost`
    is called, from any thread, with the reason why nothing can be spoken any more; waiting requests then
    never end by themselves."""

    def __init__(
        self,
        config: EngineConfig,
        *,
        load_models: Callable[[], Models],
        load_frontend: Callable[[], TextFrontend],
        on_lost: Callable[[EngineLost], None] = lambda _: None,
    ) -> None:
        self._state = EngineState("loading")
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
        self._spare_memory = SpareMemory()
        self._loaded: LoadedModel | None = None
        self._started_at = self._ready_at = time.monotonic()
        self._changing = threading.Lock()

    @property
    def state(self) -> EngineState:
        return self._state

    def _enter(self, state: EngineState, *, after: Status) -> bool:
        """Takes on `state` if the present one is `after`; whether it did. Any thread."""
        with self._changing:
            if self._state.status != after:
                return False
            self._state = state
            return True

    @property
    def step_s(self) -> float:
        """How long the present step takes so far, less by as much as the model is too large for the machine.

        A step is a token for all rows, a chunk of a prompt, a flow step or a vocoder call. Work that is slow
        only once (weights' first use, graphs, kernels that are compiled) comes before the engine is ready,
        and does not count."""
        patience = self._loaded.patience if self._loaded is not None else 1.0
        return min(self._core.step_s, time.monotonic() - self._ready_at) / patience

    def start(self) -> None:
        """Begins loading and returns at once; `state` tells how it goes."""
        loading = Loading(
            self._core,
            self._config,
            is_wanted=lambda: self._state.status == "loading",
            on_loaded=self._has_loaded,
            on_ready=self._became_ready,
            on_failed=self._failed,
        )
        try:
            loading.start(self._pool, self._load_models, self._load_frontend)
        except Exception as error:  # no thread can be had
            self._failed(error)

    def close(self) -> None:
        """Stops all work and joins the threads."""
        self._core.close()
        for pool in (self._pool, self._readers):
            pool.shutdown(cancel_futures=True)

    def speak(
        self,
        asked: SpeechRequest,
        listener: RequestListener,
        *,
        progress: Progress = NO_PROGRESS,
    ) -> None:
        """Begins; only when it is ready. `listener` hears all that comes of it, also what goes wrong."""
        assert self._loaded is not None
        self._pool.submit(self._prepare, self._loaded.processor, asked, listener, progress)

    def wake(self) -> None:
        """Makes the threads look for requests that were left, and for those that may go on."""
        self._core.wake()

    def read(
        self,
        text: str,
        options: ReadingOptions,
        *,
        check: Check,
        done: Callable[[ShownReading | ServiceError | None], None],
    ) -> None:
        """Reads a text. Calls `done` from another thread with the reading, or with None where `check` ended
        it."""
        assert self._loaded is not None
        frontend = self._loaded.processor.frontend

        def read() -> None:
            try:
                done(frontend.read(text, options, check).shown())
            except NobodyListens:
                done(None)
            except BaseException as error:
                done(as_service_error(error, "-", done="read", may_quote=True))

        self._readers.submit(read)

    def clear_cache(self) -> int:
        """Forgets voices and texts and returns the allocators' cached memory; bytes freed. Blocking."""
        if (loaded := self._loaded) is None:
            return 0
        freed = loaded.features.clear() + loaded.processor.clear() + self._core.release_memory().result()
        give_back()
        return freed

    def info(self) -> EngineInfo | None:
        """The engine's facts; None until the model is loaded."""
        if (loaded := self._loaded) is None:
            return None
        _, _, n_slots, _ = self._core.in_use
        n_asked = self._config.n_slots
        fewer = (why_fewer(n_asked, n_slots),) if n_slots < n_asked else ()
        return EngineInfo(
            model_name=loaded.models.name,
            device=str(loaded.models.llm.device),
            dtype=str(loaded.models.llm.dtype).removeprefix("torch."),
            warnings=(*loaded.models.warnings, *fewer),
            n_slots=n_slots,
            slot_length=self._core.decoder.layout.slot_length,
            decode_kernels=self._core.decoder.kernels,
            streaming=loaded.streaming,
        )

    def usage(self) -> EngineUsage | None:
        """The engine's usage; None while it is not ready. Blocking, short."""
        if (loaded := self._loaded) is None or self._state.status != "ready":
            return None
        return EngineUsage(*self._core.in_use, gpu_bytes=gpu_bytes(loaded.models.llm.device))

    # -- text pool

    def _prepare(
        self,
        processor: InputProcessor,
        asked: SpeechRequest,
        listener: RequestListener,
        progress: Progress,
    ) -> None:
        def require_listener() -> None:
            if listener.closed:
                raise NobodyListens

        try:
            require_listener()
            with listener.timings.stage("text"):
                request = processor.request(asked, listener, require_listener, progress=progress)
            request.check_fits(self._core.decoder.layout)
        except NobodyListens:
            listener.request_freed()
        except BaseException as error:  # of any kind: someone waits
            listener.request_ended(as_service_error(error, asked.request_id, done="prepared", may_quote=True))
            listener.request_freed()
            if lost := device_lost(error):
                self._faulted(lost)
        else:
            self._core.submit(request)
            self._spare_memory.give_back_if_due()

    # -- decode and render threads

    def _has_loaded(self, loaded: LoadedModel) -> None:
        self._loaded = loaded

    def _became_ready(self) -> None:
        self._ready_at = time.monotonic()
        if self._enter(EngineState("ready"), after="loading"):
            logger.info("Ready after %.1f s: %s", time.monotonic() - self._started_at, self.info())

    # -- any thread

    def _faulted(self, error: BaseException) -> None:
        """While the engine loads, nobody else would end the wait."""
        self._failed(error)
        if isinstance(error, EngineLost) and self._enter(EngineState("lost", str(error)), after="ready"):
            logger.critical("Nothing can be spoken any more", exc_info=error)
            self._on_lost(error)

    def _failed(self, error: BaseException, part: str = "") -> None:
        """A load failed. Only the first cause is reported: later errors follow from it."""
        cause = part + why_not_loaded(error)
        if self._enter(EngineState("failed", cause), after="loading"):
            logger.error("The model could not be loaded: %s", cause, exc_info=error)
