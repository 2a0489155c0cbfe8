"""An engine in a process of its own:

    python -m glm_tts_api.engine.process [--check CHECKPOINT DEVICE DTYPE] DESCRIPTOR

DESCRIPTOR is the file descriptor of one end of a socket pair. The server starts the process (client.py). With
--check the process first checks whether the checkpoint can be served, and ends with exit code 2 if it cannot.

The main thread reads the server's messages; the engine's threads send messages to the server. The process
ends when the server ends, however that happens. The exit code is 70 when the engine cannot speak any more or
a message could not be carried out.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

from glm_tts_api.contracts import Dtype, Recording
from glm_tts_api.engine import messages
from glm_tts_api.engine.child import CHECK, EXIT_REFUSED, PASSED
from glm_tts_api.engine.event_sink import CountedSteps, RemoteSink
from glm_tts_api.engine.faults import EngineLost, NobodyListens
from glm_tts_api.engine.frames import ChildSide, decoder
from glm_tts_api.engine.messages import fault_of
from glm_tts_api.engine.state import EngineInfo, EngineState
from glm_tts_api.errors import InternalFault, ServiceError, StartupError
from glm_tts_api.logs import configure_logging
from glm_tts_api.processes import end_with_parent, importing
from speech_text import ShownReading

if TYPE_CHECKING:  # PyTorch is not imported before the first message
    from glm_tts_api.engine.engine import Engine

logger = logging.getLogger(__name__)

EXIT_LOST = 70  # "internal software error" of sysexits.h
_BEAT_S = 0.1
_BEATS_TO_A_USAGE = 10


BuildEngine = Callable[[messages.Load, Callable[[EngineLost], None]], "Engine"]


class EngineProcess:
    """Carries out the server's messages with one engine. `recordings` takes those that the server sends."""

    def __init__(
        self, side: ChildSide, load: messages.Load, build: BuildEngine, recordings: dict[str, Recording]
    ) -> None:
        self._side = side
        self._buffer_s = load.config.stream_buffer_s
        self._engine = build(load, self._lost)
        self._recordings = recordings
        self._sinks: dict[int, RemoteSink] = {}
        self._read_for: set[int] = set()  # the numbers of questions that somebody waits for

    def start(self) -> None:
        self._engine.start()
        threading.Thread(target=self._send_heartbeats, name="heartbeat", daemon=True).start()

    def run(self, received: Iterable[messages.ToEngine]) -> None:
        """Carries out the messages that are `received`, until there are no more."""
        for message in received:
            match message:
                case messages.PutRecording():
                    self._recordings[message.digest] = message.recording
                case messages.DropRecording():
                    del self._recordings[message.digest]
                case messages.Speak():
                    sink = RemoteSink(message.number, self._side.send, self._buffer_s, self._sinks.pop)
                    self._sinks[message.number] = sink
                    self._engine.speak(message, sink)
                case messages.Credit():
                    if (reader := self._sinks.get(message.number)) and reader.took(message.seconds):
                        self._engine.wake()
                case messages.Cancel():
                    self._cancel(message.number)
                case messages.Read():
                    self._read_for.add(message.number)
                    self._engine.read(
                        message,
                        check=partial(self._require_wanted, message.number),
                        done=partial(self._answer, message.number),
                    )
                case messages.ClearCache():
                    threading.Thread(target=self._clear, args=(message.number,), daemon=True).start()
                case _:
                    raise messages.BrokenMessage("a second Load")

    def _cancel(self, number: int) -> None:
        if (sink := self._sinks.get(number)) is not None:
            sink.closed = True
            self._engine.wake()
        self._read_for.discard(number)

    def _require_wanted(self, number: int) -> None:
        if number not in self._read_for:
            raise NobodyListens

    def _answer(self, number: int, result: ShownReading | int | ServiceError | None) -> None:
        self._read_for.discard(number)
        if isinstance(result, ServiceError):
            self._side.send(messages.Answer(number, fault=fault_of(result)))
        else:
            self._side.send(messages.Answer(number, result))

    def _clear(self, number: int) -> None:
        try:
            self._answer(number, self._engine.clear_cache())
        except Exception:
            logger.exception("The caches could not be cleared")
            self._answer(number, InternalFault())

    def _send_heartbeats(self) -> None:
        sent: EngineInfo | None = None
        steps = CountedSteps()
        for n_beats in count():
            usage = self._engine.usage() if n_beats % _BEATS_TO_A_USAGE == 0 else None
            info, state = self._engine.info, self._engine.state
            if info is not None and info != sent:
                sent = info
                self._side.send(messages.Loaded(info))
            self._side.send(messages.Heartbeat(state, steps.count(self._engine.step_s), usage))
            time.sleep(_BEAT_S)

    def _lost(self, lost: EngineLost) -> NoReturn:
        """Tells the server that the engine is lost, and ends the process without waiting for its threads."""
        self._side.send(messages.Heartbeat(EngineState("lost", str(lost)), 0.0, None))
        logging.shutdown()
        os._exit(EXIT_LOST)


def import_models() -> None:
    """Imports the modules that every engine needs. The imports take longer than loading a small model."""
    with importing():
        from speech_text import TextFrontend  # noqa: F401


def build_engine(load: messages.Load, on_lost: Callable[[EngineLost], None]) -> Engine:
    """Makes an engine with the settings of `load`. The engine loads its models later, when it is started.
    `on_lost` is called when the engine cannot speak any more."""
    from glm_tts_api.engine.engine import Engine
    from glm_tts_api.engine.torch_flags import set_torch_flags
    from glm_tts_api.lexicon import LexiconFile, open_frontend
    from glm_tts_api.model.checkpoint import Models, load_checkpoint
    from glm_tts_api.model.placement import choose_device, flow_in_bf16, n_sharing, placement_warnings
    from speech_text import TextFrontend, spoken_seconds

    def load_models() -> Models:
        device = choose_device(load.again.device if load.again else load.device, nth=load.number)
        warnings = placement_warnings(load.device, dtype=load.dtype)
        for warning in warnings:
            logger.warning(warning)
        set_torch_flags(device, os.environ)
        if device.type == "cuda":  # else Triton's compiled kernels go to the user's home
            os.environ.setdefault("TRITON_CACHE_DIR", str(Path(load.cache_dir, "triton")))
        root, cache_dir = Path(load.checkpoint_dir), Path(load.cache_dir)
        head = load.again.followed if load.again else None
        models = load_checkpoint(root, device=device, dtype=load.dtype, cache_dir=cache_dir, followed=head)
        n_engines = n_sharing(device, load.device, n_engines=load.n_engines)
        return replace(models, warnings=(*warnings, *models.warnings), n_engines=n_engines)

    def load_frontend() -> TextFrontend:
        lexicon = LexiconFile(Path(load.configs_dir))
        frontend = open_frontend(
            lexicon,
            cache_dir=Path(load.cache_dir),
            rules=load.text_rules,
            max_characters=load.max_characters,
        )
        spoken_seconds("ready")  # the pronouncing dictionary loads now, not with the first request
        lexicon.current()
        for warning in (*lexicon.dictionaries.current().warnings, *lexicon.warnings):
            logger.warning(warning)
        return frontend

    config = replace(load.config, flow_bf16=flow_in_bf16(load.dtype))
    return Engine(config, load_models=load_models, load_frontend=load_frontend, on_lost=on_lost)


def _end_with_the_server() -> None:
    """Makes this process end when the server ends, in whatever way, even while this process computes or is
    stopped. Ignores the signals that go to the whole process group (Ctrl-C, a closed terminal, a service
    manager): the server handles them."""
    end_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _check_checkpoint(server: socket.socket, root: str, device: str, dtype: str) -> None:
    """Checks whether the checkpoint in the folder `root` can be served on `device` with `dtype`. If so, sends
    one byte through the socket `server`. If not, prints the reason to stderr and ends this process with
    EXIT_REFUSED."""
    from glm_tts_api.model.checkpoint import require_servable

    try:
        require_servable(Path(root), device=device, dtype=cast(Dtype, dtype))
    except StartupError as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(EXIT_REFUSED)
    with suppress(ConnectionError):  # the server has ended meanwhile
        server.sendall(PASSED)


def main(build: BuildEngine = build_engine, *, prepare: Callable[[], None] = lambda: None) -> NoReturn:
    """Runs the engine's process: carries out the server's messages until the server is gone, then ends the
    process. The exit code is 0, or 70 if a message could not be carried out. Calls `prepare` before the first
    message is read. `build` makes the engine from the message Load."""
    _end_with_the_server()
    faulthandler.enable()  # at SIGABRT the process writes what each thread does to the log, and ends
    status = 0
    try:
        prepare()
        *checked, descriptor = sys.argv[1:]
        server = socket.socket(fileno=int(descriptor))
        if checked[:1] == [CHECK]:
            _check_checkpoint(server, *checked[1:])
        _do_all(server, build)
    except Exception:
        logger.critical(
            "The engine's process ends: it could not carry out a message of the server", exc_info=True
        )
        status = EXIT_LOST
    logging.shutdown()
    os._exit(status)  # does not wait for threads that are in the middle of a step


def _do_all(server: socket.socket, build: BuildEngine) -> None:
    """Carries out the server's messages until the server is gone. The first message must be Load. Raises
    BrokenMessage for any other first message and for an invalid message."""
    recordings: dict[str, Recording] = {}
    side = ChildSide(server, decoder(messages.ToEngine, recordings))
    received = iter(side)
    with suppress(StopIteration):
        load = next(received)
        if not isinstance(load, messages.Load):
            raise messages.BrokenMessage("something before Load")
        configure_logging(as_json=load.logs_json, with_texts=load.logs_texts)
        process = EngineProcess(side, load, build, recordings)
        process.start()
        process.run(received)


if __name__ == "__main__":
    main(prepare=import_models)
