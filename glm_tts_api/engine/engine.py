"""The async face of the engine: requests in, streams of audio out. Nothing here blocks the event loop.

Text and voice prompts are prepared in a small pool of threads; the models run on the core's: one that
decodes, one or several that render.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from glm_tts_api.contracts import SpeechRequest, Timings
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.core import EngineCore
from glm_tts_api.engine.device_thread import limit_threads
from glm_tts_api.engine.faults import EngineLost, as_service_error, device_lost
from glm_tts_api.engine.input_processor import InputProcessor
from glm_tts_api.engine.loading import LoadedModel, Loading
from glm_tts_api.engine.memory import gpu_bytes
from glm_tts_api.engine.spare_memory import SpareMemory, give_back, give_back_models
from glm_tts_api.engine.state import LOADING, EngineInfo, EngineState, EngineUsage, Status
from glm_tts_api.engine.stream import NobodyListens, SpeechStream
from glm_tts_api.errors import InternalFault, StartupError, Unavailable
from glm_tts_api.model.checkpoint import Models

if TYPE_CHECKING:
    from glm_tts_api.text.frontend import TextFrontend

logger = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.05
_LOST = "The model failed while this text was spoken, and this server ends: try again"


class Engine:
    """Speaks requests. `load_models` runs on the device thread, `load_frontend` in the text pool."""

    def __init__(
        self,
        config: EngineConfig,
        *,
        load_models: Callable[[], Models],
        load_frontend: Callable[[], TextFrontend],
    ) -> None:
        self._state = EngineState("loading")
        self._config = config
        self._load_models = load_models
        self._load_frontend = load_frontend
        self._core = self._new_core()
        self._pool = ThreadPoolExecutor(
            config.text_threads, thread_name_prefix="text", initializer=limit_threads, initargs=(1,)
        )
        self._spare_memory = SpareMemory()
        self._streams: set[SpeechStream] = set()
        self._loaded: LoadedModel | None = None
        self._started_at = self._ready_at = self._used_at = time.monotonic()
        self._unloading = asyncio.Lock()
        self._changing = threading.Lock()
        self._n_waking = 0
        self._info_before: EngineInfo | None = None  # of the model that was unloaded
        self.frontend: TextFrontend | None = None
        """None until it is loaded. It stays when the model is unloaded."""
        self.before_hold: Callable[[], None] = lambda: None
        """Called on the event loop before the model is unloaded or loaded again, which may hold the
        interpreter for seconds."""

    def _new_core(self) -> EngineCore:
        return EngineCore(self._config, on_fault=self._faulted)

    @property
    def state(self) -> EngineState:
        if self._state.status == "ready" and self.in_a_step_for(self._config.stall_s):
            return EngineState("stalled", f"a step of the model has not ended for {self._core.step_s:.0f} s")
        return self._state

    def _enter(self, state: EngineState, *, after: tuple[Status, ...]) -> bool:
        """Takes on `state` if the present one is among `after`; whether it did. Any thread."""
        with self._changing:
            if self._state.status not in after:
                return False
            self._state = state
            return True

    def in_a_step_for(self, seconds: float) -> bool:
        """Whether a step has taken so long, or more by as much as the model is too large for the machine.

        A step is a token for all rows, a chunk of a prompt, a flow step or a vocoder call. What takes longer
        once (weights' first use, graphs, kernels that are compiled) comes before the engine is ready, and
        does not count."""
        patience = self._loaded.patience if self._loaded is not None else 1.0
        return min(self._core.step_s, time.monotonic() - self._ready_at) >= patience * seconds

    def start(self) -> None:
        """Begins loading and returns at once; `state` tells how it goes."""
        loading = Loading(
            self._core,
            self._config,
            is_wanted=lambda: self._state.status in LOADING,
            on_loaded=self._has_loaded,
            on_ready=self._became_ready,
            on_failed=self._failed,
        )
        try:
            loading.start(self._pool, self._load_models, self._loaded_frontend)
        except Exception as error:  # no thread can be had
            self._failed(error)

    async def close(self) -> None:
        """Stops all work, ends the streams that are still open, and joins the threads."""
        for stream in list(self._streams):
            stream.abort(Unavailable("The server was stopped before this text was spoken"))
        await asyncio.to_thread(self._core.close)
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)
        for stream in list(self._streams):
            stream.request_freed()
        await asyncio.sleep(0)  # lets the streams pass it on

    def synthesize(self, asked: SpeechRequest, timings: Timings | None = None) -> SpeechStream:
        """Starts speaking; to be called on the event loop. Raises Loading or Unhealthy.

        The stream raises what else can go wrong: NothingToSay, BadRequest, InternalFault.
        """
        self.state.require_ready()
        assert self._loaded is not None
        stream = SpeechStream(
            stop=self._core.wake,
            forget=self._forget,
            buffer_s=self._config.stream_buffer_s,
            timings=timings,
        )
        self._streams.add(stream)
        self._pool.submit(self._prepare, self._loaded.processor, asked, stream)
        return stream

    def _forget(self, stream: SpeechStream) -> None:
        self._streams.discard(stream)
        self._used_at = time.monotonic()

    def idle_for(self, seconds: float) -> bool:
        """Whether the engine is ready, and no request has been in it or has waited for it for so long."""
        in_use = self._streams or self._n_waking
        return self.state.status == "ready" and not in_use and time.monotonic() - self._used_at >= seconds

    async def unload(self, idle_s: float = 0.0) -> None:
        """Lets go of models, caches and their threads if the engine is idle for `idle_s`; `wake` loads and
        warms up again. Does nothing while the caches are cleared, which waits for a step of the model."""
        if self._unloading.locked():
            return
        async with self._unloading:
            if not self.idle_for(idle_s) or not self._enter(EngineState("idle"), after=("ready",)):
                return
            self._info_before = self.info()
            logger.info("Idle for %.0f s: the model is unloaded", time.monotonic() - self._used_at)
            self.before_hold()
            self._loaded = None
            core, self._core = self._core, self._new_core()
            await asyncio.to_thread(core.close)
            del core
            await asyncio.to_thread(give_back_models)

    async def wake(self) -> None:
        """Returns when the models are there, which is at once unless they were unloaded. They stay until the
        caller awaits something else. Raises Unhealthy."""
        self._n_waking += 1
        try:
            if self._state.status == "idle":
                logger.info("The model was unloaded: this request waits until it is there again")
                async with self._unloading:
                    if self._enter(EngineState("reloading"), after=("idle",)):
                        self._started_at = time.monotonic()
                        self.before_hold()
                        self.start()
            while self._state.status in LOADING:  # noqa: ASYNC110, it is set by the device's thread
                await asyncio.sleep(_LOOK_EVERY_S)
        finally:
            self._n_waking -= 1
        self._state.require_ready()

    def give_up(self, cause: str) -> None:
        """Ends everyone's wait: a step will not end any more."""
        self._lose(EngineLost(cause))

    async def clear_cache(self) -> int:
        """Forgets voices and texts and returns the allocators' cached memory; bytes freed."""
        async with self._unloading:
            if (loaded := self._loaded) is None:
                return 0
            freed = (
                await asyncio.to_thread(loaded.features.clear)
                + await asyncio.to_thread(loaded.processor.clear)
                + await self._unless_lost(self._core.release_memory())
            )
            await asyncio.to_thread(give_back)
            return freed

    async def _unless_lost(self, call: Future[int]) -> int:
        """What a device thread returns. Raises InternalFault when the engine is lost before."""
        pending = asyncio.wrap_future(call)
        while not pending.done():
            if self._state.status == "lost":
                raise InternalFault(_LOST)
            await asyncio.wait({pending}, timeout=_LOOK_EVERY_S)
        return pending.result()

    def info(self) -> EngineInfo | None:
        """None until the model is loaded; of one that was unloaded what it was."""
        if (loaded := self._loaded) is None:
            return self._info_before
        return EngineInfo(
            model_name=loaded.models.name,
            device=str(loaded.models.llm.device),
            dtype=str(loaded.models.llm.dtype).removeprefix("torch."),
            warnings=loaded.models.warnings,
            slot_length=self._core.layout.slot_length,
            rows_active=self._core.in_use[0],
            streaming=loaded.streaming,
        )

    def usage(self) -> EngineUsage | None:
        """None while the engine is not ready. Blocking, short."""
        core, loaded = self._core, self._loaded  # in this order: models are let go first
        if loaded is None or self.state.status != "ready":
            return None
        return EngineUsage(
            *core.in_use,
            rows=self._config.n_slots,
            kv_cells=self._config.n_slots * core.layout.slot_length,
            gpu_bytes=gpu_bytes(loaded.models.llm.device),
        )

    # -- text pool

    def _loaded_frontend(self) -> TextFrontend:
        if self.frontend is None:
            self.frontend = self._load_frontend()
        return self.frontend

    def _prepare(self, processor: InputProcessor, asked: SpeechRequest, stream: SpeechStream) -> None:
        if not stream.closed:
            try:
                with stream.timings.stage("text"):
                    request = processor.request(asked, stream, stream.require_listener)
                request.check_fits(self._core.layout)
            except NobodyListens:
                pass
            except BaseException as error:  # whatever it is, someone waits for the stream
                fault = as_service_error(error, asked.request_id, done="prepared", may_quote=True)
                stream.request_ended(fault)
                if lost := device_lost(error):
                    self._faulted(lost)
            else:
                self._core.submit(request)
                self._spare_memory.give_back_if_due()
                if self._state.status != "lost":
                    return
                stream.request_ended(InternalFault(_LOST))
        stream.request_freed()

    # -- decode and render threads

    def _has_loaded(self, loaded: LoadedModel) -> None:
        self._loaded = loaded

    def _became_ready(self) -> None:
        self._ready_at = self._used_at = time.monotonic()
        if self._enter(EngineState("ready"), after=LOADING):
            logger.info("Ready after %.1f s: %s", time.monotonic() - self._started_at, self.info())

    # -- any thread

    def _faulted(self, error: BaseException) -> None:
        """While the engine loads, nobody else would end the wait."""
        self._failed(error)
        if isinstance(error, EngineLost):
            self._lose(error)

    def _lose(self, error: EngineLost, after: Status = "ready") -> None:
        """Everyone hears at once: the threads may never come back from the device."""
        if not self._enter(EngineState("lost", str(error)), after=(after,)):
            return
        logger.critical("Nothing can be spoken any more", exc_info=error)
        for stream in list(self._streams):
            stream.request_ended(InternalFault(_LOST))
            stream.request_freed()

    def _failed(self, error: BaseException, part: str = "") -> None:
        """Of a load. The first cause is the one to tell; what follows from it is not."""
        cause = part + (
            str(error) if isinstance(error, StartupError | EngineLost) else f"{type(error).__name__}: {error}"
        )
        if self._enter(EngineState("failed", cause), after=("loading",)):
            logger.error("The model could not be loaded: %s", cause, exc_info=error)
        else:  # it spoke once: another process may, and nobody waits for this one
            self._lose(EngineLost(f"the model could not be loaded again: {cause}"), after="reloading")
