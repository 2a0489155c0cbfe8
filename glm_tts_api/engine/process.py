"""An engine in a process of its own: `python -m glm_tts_api.engine.process DESCRIPTOR`, where
DESCRIPTOR is one end of a pair of sockets. The server starts it (client.py).

The main thread reads the server's messages; the engine's threads send their own. The process ends when the
other end is closed, however its server ended, and with exit code 70 when nothing can be spoken any more.
"""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import NoReturn, Protocol

from glm_tts_api.contracts import Progress, ReadingOptions, Recording, SpeechRequest, Voice
from glm_tts_api.engine import messages
from glm_tts_api.engine.faults import EngineLost, NobodyListens
from glm_tts_api.engine.frames import EngineSide
from glm_tts_api.engine.listener import RequestListener
from glm_tts_api.engine.messages import fault_of
from glm_tts_api.engine.state import EngineInfo, EngineState, EngineUsage
from glm_tts_api.engine.telling import CountedSteps, Listener
from glm_tts_api.errors import InternalFault, ServiceError
from glm_tts_api.logs import configure_logging
from glm_tts_api.service.processes import end_with_parent
from glm_tts_api.text.reading import ShownReading

logger = logging.getLogger(__name__)

EXIT_LOST = 70  # "internal software error" of sysexits.h
_BEAT_S = 0.1
_BEATS_TO_A_USAGE = 10


class SpeakingEngine(Protocol):
    """The methods of an engine (engine.py) that the process uses."""

    @property
    def state(self) -> EngineState: ...
    @property
    def step_s(self) -> float: ...
    def start(self) -> None: ...
    def speak(
        self,
        asked: SpeechRequest,
        listener: RequestListener,
        *,
        progress: Progress,
    ) -> None: ...
    def wake(self) -> None: ...
    def read(
        self,
        text: str,
        options: ReadingOptions,
        *,
        check: Callable[[], None],
        done: Callable[[ShownReading | ServiceError | None], None],
    ) -> None: ...
    def clear_cache(self) -> int: ...
    def info(self) -> EngineInfo | None: ...
    def usage(self) -> EngineUsage | None: ...


BuildEngine = Callable[[messages.Load, Callable[[EngineLost], None]], SpeakingEngine]


class EngineProcess:
    """Does what the server says."""

    def __init__(self, side: EngineSide, load: messages.Load, build: BuildEngine) -> None:
        self._side = side
        self._buffer_s = load.config.stream_buffer_s
        self._engine = build(load, self._lost)
        self._recordings: dict[str, Recording] = {}
        self._listeners: dict[int, Listener] = {}
        self._read_for: set[int] = set()  # questions that somebody waits for

    def start(self) -> None:
        self._engine.start()
        threading.Thread(target=self._beat, name="beat", daemon=True).start()

    def do(self, message: messages.ToEngine) -> None:
        match message:
            case messages.Heard():
                samples = messages.samples_of(message.samples)
                self._recordings[message.digest] = Recording(samples, message.sample_rate)
            case messages.Forget():
                del self._recordings[message.digest]
            case messages.Speak():
                self.speak(message)
            case messages.Took():
                self._took(message.number, message.seconds)
            case messages.Leave():
                self._leave(message.number)
            case messages.Read():
                self._read_for.add(message.number)
                self._engine.read(
                    message.text,
                    message.options,
                    check=partial(self._require_wanted, message.number),
                    done=partial(self._has_read, message.number),
                )
            case messages.ClearCache():
                threading.Thread(target=self._clear, args=(message.number,), daemon=True).start()
            case messages.Load():
                raise messages.BrokenMessage("a second Load")

    def speak(self, message: messages.Speak) -> None:
        listener = Listener(message.number, self._side.send, self._buffer_s, self._listeners.pop)
        self._listeners[message.number] = listener
        asked = self._with_samples(message.asked)
        self._engine.speak(asked, listener, progress=message.progress)

    def _with_samples(self, asked: SpeechRequest) -> SpeechRequest:
        def found(voice: Voice) -> Voice:
            return Voice(self._recordings[voice.digest], voice.transcript, voice.digest, voice.name)

        assert isinstance(asked.voice, Voice)
        others = {name: found(voice) for name, voice in asked.others.items()}
        return replace(asked, voice=found(asked.voice), others=others)

    def _took(self, number: int, seconds: float) -> None:
        if (listener := self._listeners.get(number)) is not None:
            was_full = listener.full
            listener.add(-seconds)
            if was_full and not listener.full:
                self._engine.wake()

    def _leave(self, number: int) -> None:
        if (listener := self._listeners.get(number)) is not None:
            listener.closed = True
            self._engine.wake()
        self._read_for.discard(number)

    def _require_wanted(self, number: int) -> None:
        if number not in self._read_for:
            raise NobodyListens

    def _has_read(self, number: int, reading: ShownReading | ServiceError | None) -> None:
        self._read_for.discard(number)
        if isinstance(reading, ServiceError):
            self._side.send(messages.Answer(number, fault=fault_of(reading)))
        else:
            self._side.send(messages.Answer(number, reading))

    def _clear(self, number: int) -> None:
        try:
            self._side.send(messages.Answer(number, freed=self._engine.clear_cache()))
        except Exception:
            logger.exception("The caches could not be cleared")
            self._side.send(messages.Answer(number, fault=fault_of(InternalFault())))

    def _beat(self) -> None:
        told: EngineInfo | None = None
        steps = CountedSteps()
        for n_beats in count():
            usage = self._engine.usage() if n_beats % _BEATS_TO_A_USAGE == 0 else None
            info, state = self._engine.info(), self._engine.state
            if info is not None and info != told:
                told = info
                self._side.send(messages.Loaded(info))
            self._side.send(messages.Beat(state, steps.count(self._engine.step_s), usage))
            time.sleep(_BEAT_S)

    def _lost(self, lost: EngineLost) -> NoReturn:
        """The device's threads may never come back: nobody waits for them."""
        self._side.send(messages.Beat(EngineState("lost", str(lost)), 0.0, None))
        logging.shutdown()
        os._exit(EXIT_LOST)


def import_models() -> None:
    """Imports an engine's modules, which every model needs; that takes longer than loading a small model.
    They live as long as the process, so the garbage collector skips them."""
    gc.disable()
    import glm_tts_api.engine.engine
    import glm_tts_api.text.frontend  # noqa: F401

    gc.freeze()
    gc.enable()


def build_engine(load: messages.Load, on_lost: Callable[[EngineLost], None]) -> SpeakingEngine:
    """The engine that speaks."""
    from glm_tts_api.engine.engine import Engine
    from glm_tts_api.engine.torch_flags import set_torch_flags
    from glm_tts_api.model.checkpoint import Models, load_checkpoint
    from glm_tts_api.model.placement import choose_device, n_sharing, placement_warnings
    from glm_tts_api.text.frontend import TextFrontend

    def load_models() -> Models:
        device = choose_device(load.again_on or load.device, nth=load.number)
        warnings = placement_warnings(load.device, dtype=load.dtype)
        for warning in warnings:
            logger.warning(warning)
        set_torch_flags(device, os.environ)
        if device.type == "cuda":  # else Triton's compiled kernels go to the user's home
            os.environ.setdefault("TRITON_CACHE_DIR", str(Path(load.cache_dir, "triton")))
        models = load_checkpoint(Path(load.checkpoint_dir), device=device, dtype=load.dtype)
        n_engines = n_sharing(device, load.device, n_engines=load.n_engines)
        return replace(models, warnings=tuple(warnings), n_engines=n_engines)

    def load_frontend() -> TextFrontend:
        frontend = TextFrontend(
            Path(load.configs_dir),
            cache_dir=Path(load.cache_dir),
            rules=load.text_rules,
            shipped=Path(load.shipped),
            max_characters=load.max_characters,
        )
        for warning in frontend.warnings:
            logger.warning(warning)
        return frontend

    return Engine(load.config, load_models=load_models, load_frontend=load_frontend, on_lost=on_lost)


def _end_with_the_server() -> None:
    """Makes this process end with the server, however the server ends, and also while this process computes
    or is stopped. Signals to the whole group (Ctrl-C, a terminal that closes, a service manager) are left to
    the server."""
    end_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def main(build: BuildEngine = build_engine, *, prepare: Callable[[], None] = lambda: None) -> NoReturn:
    """`prepare` is done before the server has said anything."""
    _end_with_the_server()
    faulthandler.enable()  # SIGABRT: what each thread does goes to the log, and the process ends
    status = 0
    try:
        prepare()
        _do_all(EngineSide(socket.socket(fileno=int(sys.argv[1]))), build)
    except Exception:
        logger.critical("The engine's process ends: it cannot do what it was told", exc_info=True)
        status = EXIT_LOST
    logging.shutdown()
    os._exit(status)  # threads may be in the middle of a step that nobody waits for


def _do_all(side: EngineSide, build: BuildEngine) -> None:
    """Carries out the server's messages until the server is gone. Raises BrokenMessage."""
    said = iter(side)
    with suppress(StopIteration):
        load = next(said)
        if not isinstance(load, messages.Load):
            raise messages.BrokenMessage("something before Load")
        configure_logging(as_json=load.logs_json, with_texts=load.logs_texts)
        process = EngineProcess(side, load, build)
        process.start()
        for message in said:
            process.do(message)


if __name__ == "__main__":
    main(prepare=import_models)
