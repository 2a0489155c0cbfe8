"""Makes a model ready for requests: loads its checkpoint from the disk, warms the model up and measures
it."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.core import EngineCore
from glm_tts_api.engine.input_processor import InputProcessor
from glm_tts_api.engine.stream_pace import Forecast, Pace, forecast
from glm_tts_api.engine.voice_features import VoiceFeatures
from glm_tts_api.engine.warm_up import WarmUp, patience
from glm_tts_api.model.checkpoint import Models

if TYPE_CHECKING:
    from speech_text.frontend import TextFrontend

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class LoadedModel:
    """The engine's parts while a model is loaded. Warm-up measures `streaming` and `patience`. `streaming` is
    the forecast for a stream while there is no other request; None before it is measured or where a usual
    request does not fit the memory. `patience` is the factor by which the time limits of a model's step
    (WATCHDOG_S) are multiplied."""

    models: Models
    features: VoiceFeatures
    processor: InputProcessor
    streaming: Forecast | None = None
    patience: float = 1.0


class Loading:
    """One load of a model, on the decode thread of `core` and, at the same time, in a pool.

    `on_loaded` is called with the loaded parts, `on_ready` once the model is warmed up and measured. The
    measuring and that call happen only while `is_wanted` returns True. `on_failed` is called with an error
    and the name of the part that failed, several times if several parts fail. Each function is called on the
    thread where the event happens.
    """

    def __init__(
        self,
        core: EngineCore,
        config: EngineConfig,
        *,
        is_wanted: Callable[[], bool],
        on_loaded: Callable[[LoadedModel], None],
        on_ready: Callable[[], None],
        on_failed: Callable[[BaseException, str], None],
    ) -> None:
        self._core = core
        self._config = config
        self._is_wanted = is_wanted
        self._on_loaded = on_loaded
        self._on_ready = on_ready
        self._on_failed = on_failed

    def start(
        self, pool: Executor, load_models: Callable[[], Models], load_frontend: Callable[[], TextFrontend]
    ) -> None:
        """Starts `load_models` on the decode thread and `load_frontend` in `pool`, and returns. Raises the
        error that keeps a thread from starting."""
        frontend = pool.submit(load_frontend)
        frontend.add_done_callback(self._frontend_ended)
        self._core.start(
            load_models,
            on_loaded=lambda models: self._models_loaded(models, frontend.result()),
            on_failed=lambda error: self._on_failed(error, ""),
        )

    def _frontend_ended(self, frontend: Future[TextFrontend]) -> None:
        """If the text front end could not be loaded, reports that to `on_failed` at once: the model may take
        minutes longer. Does nothing otherwise."""
        if not frontend.cancelled() and (error := frontend.exception()) is not None:
            self._on_failed(error, "the text front end: ")

    # -- decode thread; the last two methods also on a render thread

    def _models_loaded(self, models: Models, frontend: TextFrontend) -> None:
        features = VoiceFeatures(models, self._config.cached_voices)
        processor = InputProcessor(
            models, frontend, features, self._config.stream_chunks, guard=self._config.guard
        )
        loaded = LoadedModel(models, features, processor)
        self._on_loaded(loaded)
        warm_up = WarmUp(models, features, on_done=lambda error: self._warmed_up(loaded, warm_up, error))
        for request in warm_up.requests():
            self._core.submit(request)

    def _warmed_up(self, loaded: LoadedModel, warm_up: WarmUp, error: BaseException | None) -> None:
        if error is not None:
            self._on_failed(error, "")
        elif self._is_wanted():
            begin = time.monotonic()
            self._core.measure(warm_up, lambda pace: self._measured(loaded, pace, begin))

    def _measured(self, loaded: LoadedModel, pace: Pace | None, begin: float) -> None:
        if pace is None:
            logger.warning(
                "A usual request does not fit the memory, and only shorter ones are served: "
                "set SHORT_TEXT_CONCURRENCY and LONG_TEXT_CONCURRENCY lower"
            )
        else:
            loaded.streaming = forecast(pace, self._config.stream_chunks, gapless=self._config.gapless_start)
            loaded.patience = patience(pace, self._config, loaded.models.flow.config)
            logger.info("%s (%s, measured in %.1f s)", loaded.streaming, pace, time.monotonic() - begin)
        if self._is_wanted():
            gc.collect()
            gc.freeze()  # each collection would visit the models' many objects, which stay for ever: 0.2 s
            self._on_ready()
