"""The core of the engine: takes each request through decoding and rendering, on the device threads.

The decode thread loads the models and turns text ids into speech tokens. Render threads (several on a CPU,
one for a GPU) turn speech tokens into audio. So the LLM decodes segment n+1 while segment n is rendered. The
decode thread alone admits requests, gives them rows and frees them. A fault ends only the request in which it
happened, unless the device or a whole stage has failed.
"""

from __future__ import annotations

import logging
import math
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from functools import partial

import torch

from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.cores import Cores
from glm_tts_api.engine.decode_batcher import DecodeBatcher
from glm_tts_api.engine.device_thread import DeviceThread, release_cached_memory, use_own_stream
from glm_tts_api.engine.faults import FaultWatch, as_service_error
from glm_tts_api.engine.memory import fit_rows
from glm_tts_api.engine.request import EngineRequest
from glm_tts_api.engine.scheduler import Scheduler
from glm_tts_api.engine.stream_pace import Pace, StreamStarts
from glm_tts_api.engine.token2wav import Token2Wav
from glm_tts_api.engine.warm_up import WarmUp, measure_decode, measure_pace
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.threads import power_of_two

logger = logging.getLogger(__name__)

# Renders have a lower CPU priority: a whole batch waits for each decode step, and decode steps are short.
_RENDER_NICENESS = 5
# Device threads need Python's interpreter lock only between operators; no thread should wait long for it.
_SWITCH_INTERVAL_S = 0.0005
_ENOUGH_SPANS = 2  # for each render thread: so many keep it at work for a while


class EngineCore:
    """Owns the device threads. Any thread may use `submit`, which takes an EngineRequest and returns at once,
    `wake`, `close` and the properties. `on_fault` is called with each fault that belongs to no request, on
    the thread of the fault. `on_fault` is also called with an EngineLost, after which no step is taken.
    `decoder`, which only the decode thread may change, and `token2wav` are there once the models are
    loaded."""

    decoder: DecodeBatcher
    token2wav: Token2Wav

    def __init__(self, config: EngineConfig, *, on_fault: Callable[[BaseException], None]) -> None:
        self._config = config
        self._on_fault = on_fault
        self._decode_watch, self._render_watch = FaultWatch(), FaultWatch()
        self._takes_steps = False
        self._decode = DeviceThread(
            "decode",
            self._decode_step,
            n_threads=power_of_two(config.threads),  # for the loading; each step sets its own number
            on_fault=partial(self._faulted, self._decode_watch),
        )
        self.submit: Callable[[EngineRequest], object] = partial(self._decode.post, self._admit)
        self._renderers: list[DeviceThread] = []
        self._delivery = threading.Lock()
        self._scheduler: Scheduler[EngineRequest] = Scheduler(config.n_rows, n_reserved=config.n_reserved)
        # The requests in work; the value says whether a request still has segments to decode.
        self._requests: dict[EngineRequest, bool] = {}
        self._starts = StreamStarts(self._requests)

    def start(
        self,
        load: Callable[[], Models],
        *,
        on_loaded: Callable[[Models], None],
        on_failed: Callable[[BaseException], None],
    ) -> None:
        """Starts the decode thread and returns. The thread loads the models with `load`, then calls
        `on_loaded` or `on_failed`. Raises the error that keeps the thread from starting."""

        def load_models() -> None:
            try:
                models = load()
                self._take_models(models)
                on_loaded(models)
            except BaseException as error:  # also a library's sys.exit, which would end the thread silently
                on_failed(error)

        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        self._decode.start()
        self._decode.post(load_models)

    def close(self) -> None:
        """Ends the device threads after their current steps. Drops open requests without telling anybody."""
        for thread in (self._decode, *self._renderers):
            thread.close()

    def wake(self) -> None:
        """Makes the device threads notice cancelled requests, and sinks that can take more audio."""
        self._decode.wake()
        self._wake_renderers()

    def _wake_renderers(self) -> None:
        for renderer in self._renderers:
            renderer.wake()

    def measure(self, warm_up: WarmUp, on_measured: Callable[[Pace | None], None]) -> None:
        """Measures how fast a usual request is decoded and rendered while there is no other request. Returns
        at once; later a render thread calls `on_measured` with the pace. The pace is None where the request
        does not fit the memory; shorter requests may still fit."""
        self._decode.post(self._measure, warm_up, on_measured)

    @property
    def step_s(self) -> float:
        """The seconds that the longest of the device threads' current steps and calls has taken so far."""
        return max(thread.step_s for thread in (self._decode, *self._renderers))

    @property
    def in_use(self) -> tuple[int, int, int, int]:
        """Four counts: used decode rows, used positions of the KV cache, all decode rows, all positions."""
        n_rows = self._scheduler.n_rows
        n_cells = n_rows * self.decoder.layout.slot_length
        return self._scheduler.n_busy, self.decoder.n_cells_used, n_rows, n_cells

    def release_memory(self) -> Future[int]:
        """Drops the cached transcripts of voices and gives the CUDA allocator's cached memory back to the
        GPU, on the decode thread between two steps. The future's result is the number of bytes given back."""

        def release() -> int:
            self.decoder.forget_voices()
            return release_cached_memory()

        return self._decode.ask(release)

    # -- decode thread

    def _take_models(self, models: Models) -> None:
        device = models.llm.device
        if device.type == "cuda":
            torch.cuda.synchronize(device)  # the weights are on the GPU
            use_own_stream(device, urgent=True)
            release_cached_memory()  # which only the loading needed
        self._config = config = fit_rows(models, self._config)
        self._scheduler = Scheduler(config.n_rows, n_reserved=config.n_reserved)
        self.decoder = DecodeBatcher(models, config)
        self.token2wav = Token2Wav(models, config)
        self.token2wav.queue.wake = self._wake_renderers
        self._start_renderers(device)
        self._takes_steps = True

    def _measure(self, warm_up: WarmUp, on_measured: Callable[[Pace | None], None]) -> None:
        request, to_meet = warm_up.measured_request(), warm_up.spans_to_meet(self._config.stream_chunks)
        cores = self.token2wav.cores
        decode = measure_decode(self.decoder, request, cores)

        def go_on() -> None:
            pace = measure_pace(self.token2wav, request, to_meet, decode=decode, one_core=cores.all_for_one)
            if self._config.gapless_start:
                self._starts.measured(pace, n_renderers=len(self._renderers))
            on_measured(pace)

        self._renderers[0].post(go_on)

    def _start_renderers(self, device: torch.device) -> None:
        self._renderers = [
            DeviceThread(
                f"render-{index}",
                self._render_step,
                n_threads=self._config.render_threads,
                on_fault=partial(self._faulted, self._render_watch),
                niceness=_RENDER_NICENESS,
                set_up=partial(use_own_stream, device),
            )
            for index in range(self._config.n_renderers if device.type == "cpu" else 1)
        ]
        for renderer in self._renderers:
            renderer.start()

    def _admit(self, request: EngineRequest) -> None:
        self._requests[request], request.starts = request.n_undecided > 0, self._starts
        if request.n_undecided:
            self._scheduler.admit(request)
        else:
            request.end_if_heard()
        self.token2wav.queue.add(*request.next_spans())  # of the tokens that another engine has decoded
        self._free_if_done(request)

    def _decode_step(self) -> bool:
        if not self._takes_steps:
            return False
        self._leave_cancelled()
        self._start_rows()
        cores = self.token2wav.cores
        cores.decodes = bool(self.decoder.awake) and not render_takes_all(self._requests, cores)
        if not cores.decodes:
            return False
        n_draws, begin = self.decoder.n_draws, time.perf_counter()
        with cores.decode_step():
            ended = self.decoder.step()
        self._starts.decoded(time.perf_counter() - begin)
        if self.decoder.n_draws > n_draws:
            self._decode_watch.succeeded()
        for sequence in ended:
            request: EngineRequest = sequence.owner
            self._scheduler.release(sequence.slot)
            if sequence.error is not None:
                self._fail(request, sequence.error, self._decode_watch)
                continue
            request.take(sequence)
            if not request.n_undecided:
                self._scheduler.retire(request)
                self._requests[request] = False
        for request in self._requests:
            self.token2wav.queue.add(*request.next_spans())
        return True

    def _leave_cancelled(self) -> None:
        for request in [each for each in self._requests if each.cancelled]:
            if self._requests[request]:
                for row in self._scheduler.retire(request):
                    self.decoder.leave(row)
                self._requests[request] = False
            self._free_if_done(request)

    def _start_rows(self) -> None:
        """Gives free decode rows to requests that can use more rows, then pauses requests.
        A request with many spans to render gets none: on a CPU its decoding would take cores from renders."""
        wants = {
            request: request.n_waiting_rows
            for request, decodes in self._requests.items()
            if decodes and request.n_spans < self.token2wav.n_spans_ahead
        }
        for request, row in self._scheduler.assign(wants):
            self.decoder.join(row, request.next_sequence(self.decoder.layout))
        pause_requests(self._requests, self._scheduler, self.decoder, self.token2wav, self._renderers)

    def _span_ended(self, request: EngineRequest) -> None:
        request.n_rendering -= 1
        self.token2wav.queue.add(*request.next_spans())
        self._free_if_done(request)

    def _free_if_done(self, request: EngineRequest) -> None:
        if not self._requests[request] and not request.n_spans:
            del self._requests[request]
            request.sink.request_freed()

    # -- render threads

    def _render_step(self) -> bool:
        if not self._takes_steps or (ended := self.token2wav.step()) is None:
            return False
        for span in ended:
            request = span.request
            with self._delivery:
                if span.error is not None:
                    self._fail(request, span.error, self._render_watch)
                elif span.pcm is not None:
                    self._render_watch.succeeded()
                    self._starts.rendered(span)
                    if not request.cancelled:
                        request.deliver(span)
            self._decode.post(self._span_ended, request)
        return True

    # -- any device thread

    def _fail(self, request: EngineRequest, error: Exception, watch: FaultWatch) -> None:
        """Ends a request with an error, unless the request is cancelled. The stage's `watch` counts one fault
        for the request, however many of its rows and segments fail."""
        if not request.cancelled:
            self._count(error, watch)
            request.fail(as_service_error(error, request.speech.request_id, done="spoken"))

    def _faulted(self, watch: FaultWatch, error: BaseException) -> None:
        """Counts a fault that no stage has caught, and reports the fault to `on_fault`."""
        if not self._count(error, watch):
            self._on_fault(error)

    def _count(self, error: BaseException, watch: FaultWatch) -> bool:
        """Counts a fault of the stage that `watch` observes. If the engine is lost with this fault, ends all
        steps, calls `on_fault` with the EngineLost and returns True."""
        if (lost := watch.failed(error)) is not None:
            self._takes_steps = False
            self._on_fault(lost)
        return lost is not None


def pause_requests(
    requests: Collection[EngineRequest],
    scheduler: Scheduler[EngineRequest],
    decoder: DecodeBatcher,
    token2wav: Token2Wav,
    renderers: Sequence[DeviceThread],
) -> None:
    """Decides which requests pause on a CPU, where they would take cores from others, and tells the decode
    batch and the render stage. While any other request has a row or a span, background requests pause (nobody
    waits for them). One that has neither may wait for their rows. While several clients have work to do, a
    request's decoding pauses if its client has spans enough to render that are due sooner. On a GPU no
    request pauses: one that nobody waits for is rendered when no other request has a span to render."""
    if not token2wav.shares_cores:
        return
    clients = {
        each.speech.client
        for each in requests
        if not each.is_background and (each.n_spans or scheduler.holds(each))
    }
    paused, n_spans = set[EngineRequest](), Counter[str]()
    n_enough = _ENOUGH_SPANS * len(renderers) if len(clients) > 1 else math.inf
    for each in sorted(requests, key=lambda each: each.due):
        if clients and (each.is_background or n_spans[each.speech.client] > n_enough):
            paused.add(each)
        n_spans[each.speech.client] += each.n_spans
    decoder.paused = paused
    was_paused, token2wav.queue.background_paused = token2wav.queue.background_paused, bool(clients)
    if was_paused != bool(clients):
        for renderer in renderers:
            renderer.wake()


def render_takes_all(requests: Collection[EngineRequest], cores: Cores) -> bool:
    """Returns whether decoding pauses now. Decoding pauses while a stream is the only request, has a span to
    render, and renders on all cores: that span is heard before the tokens that would be decoded meanwhile."""
    if not cores.all_for_one or len(requests) != 1:
        return False
    (request,) = requests
    return request.speech.streams and request.n_spans > 0
