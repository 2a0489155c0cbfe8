"""The server's side of an engine: its process, which is started again when it dies, and the requests to it.
Runs on the event loop; loads no model.

The client ends a process that reports a failure, sends an invalid message, makes no progress for too long, or
loads for too long. Its requests end with EngineDied, and speech/engines.py has another engine speak them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Protocol

from msgspec.structs import replace

from glm_tts_api.contracts import SpeechRequest
from glm_tts_api.engine import messages
from glm_tts_api.engine.child import EngineDied, ProcessHandle, Spawned
from glm_tts_api.engine.messages import BrokenMessage, error_of
from glm_tts_api.engine.state import EngineInfo, EngineState, EngineUsage
from speech_text import ReadingOptions, ShownReading

logger = logging.getLogger(__name__)

# An engine is given up after this number of deaths with no audio and no text given up between them. A text
# causes four at most.
_DEATHS = 5
_KEPT_RECORDINGS = 64  # recordings that a process keeps; the engine keeps the features of as many
_GIVEN_UP_S = 300.0  # time until an engine that was given up is tried again: the cause may be over
_LOOK_EVERY_S = 0.1
# A load hangs if it takes ten times as long as the last one. Until a load has ended, the limit is that of the
# first. A load may always take `watchdog_s`.
_LOADS, _FIRST_LOAD_S = 10, 900.0


class Listener(Protocol):
    """Takes all that an engine says about one request, and its death."""

    def take(self, message: messages.OfRequest | EngineDied) -> None: ...


class EngineClient:
    """One engine and its current process. `load` is the first message to each process. `changed` is called
    after each change of `state`, and when the last open request is freed. `first` is the first process, if it
    has been started already. `command` starts each later process. `info` are the facts about the engine (its
    device, for example); None until a model has been loaded. `usage` says how full the engine is, at most a
    second ago; None before a first report and while not "ready"."""

    def __init__(
        self, load: messages.Load, *, watchdog_s: float, command: Sequence[str], first: Spawned | None = None
    ) -> None:
        self.changed: Callable[[], None] = lambda: None
        self.state = EngineState("loading")
        self.n_restarts = self.n_watchdog_exits = 0
        self._load, self._watchdog_s, self._command, self._first = load, watchdog_s, command, first
        self.info: EngineInfo | None = None
        self.usage: EngineUsage | None = None
        self._life: asyncio.Task[None] | None = None
        self._handle: ProcessHandle | None = None
        self._numbers = count()
        self._recordings: OrderedDict[str, None] = OrderedDict()  # digests of those that the process has
        self._listeners: dict[int, Listener] = {}
        self._questions: dict[int, asyncio.Future[messages.Answer]] = {}
        self.n_deaths = 0  # since the last audio
        self._load_s, self._load_limit_s = 0.0, _FIRST_LOAD_S
        self._used_at = time.monotonic()

    @property
    def pid(self) -> int | None:
        return self._handle.pid if self._handle is not None else None

    @property
    def n_streams(self) -> int:
        return len(self._listeners)

    def idle_for(self, seconds: float) -> bool:
        """Whether the engine is ready, has no work, and was last used at least `seconds` seconds ago."""
        in_use = self._listeners or self._questions
        return self.state.status == "ready" and not in_use and time.monotonic() - self._used_at >= seconds

    # -- requests and questions

    def speak(
        self,
        listener: Listener,
        request: SpeechRequest,
        tokens: Mapping[int, Sequence[int]],
        first: int,
        *,
        is_background: bool = False,
    ) -> int:
        """Sends the request to the process, and returns its number there. `listener` takes what the engine
        says about it. `tokens`, `first` and `is_background` are those of messages.Speak.

        Before the request, sends those recordings of its voices that the process lacks. After that, has the
        process drop the recordings that were used longest ago, if it has more than 64."""
        number, handle, recordings = next(self._numbers), self._handle, self._recordings
        if handle is None:
            listener.take(EngineDied("it had ended before", is_ours=False))
            return number
        for voice in (request.voice, *request.others.values()):
            if voice.digest not in recordings:
                handle.send(messages.PutRecording(voice.digest, voice.recording))
                recordings[voice.digest] = None
            recordings.move_to_end(voice.digest)
        self._listeners[number] = listener
        handle.send(messages.Speak(number, request, tokens, first, is_background))
        while len(recordings) > _KEPT_RECORDINGS:
            handle.send(messages.DropRecording(recordings.popitem(last=False)[0]))
        return number

    def send(self, message: messages.Credit | messages.Cancel) -> None:
        """Sends a message about a request or a question to the process, if there is one."""
        if self._handle is not None:
            self._handle.send(message)

    async def read(self, text: str, options: ReadingOptions, transcript: str = "") -> ShownReading:
        """Returns how the engine says `text` in words, in a voice with this `transcript`. Raises EngineDied
        or the error that refuses it."""
        reading = await self._ask(lambda number: messages.Read(number, text, options, transcript))
        self._used_at = time.monotonic()
        assert isinstance(reading, ShownReading)
        return reading

    async def clear_cache(self) -> int:
        """Has the engine drop its cached voices and texts. Returns the bytes freed. Raises EngineDied."""
        freed = await self._ask(messages.ClearCache)
        assert isinstance(freed, int)
        return freed

    async def _ask(self, question: Callable[[int], messages.Message]) -> ShownReading | int | None:
        if self._handle is None:
            raise EngineDied("it had ended before", is_ours=False)
        number = next(self._numbers)
        answer = self._questions[number] = asyncio.get_running_loop().create_future()
        self._handle.send(question(number))
        try:
            reply: messages.Answer = await answer
        except asyncio.CancelledError:
            self.send(messages.Cancel(number))
            raise
        finally:
            del self._questions[number]
        if reply.fault is not None:
            raise error_of(reply.fault)
        return reply.result

    # -- the life of the process

    def start(self) -> None:
        """Starts a process, and later a new one whenever it dies, unless the first load fails. Returns at
        once. The process also ends when the thread that called this method ends."""
        self._life = asyncio.create_task(self._live())

    async def close(self) -> None:
        """Ends the process, and its requests and questions with EngineDied. Takes no others from then on."""
        self._enter(EngineState("failed", "the server has stopped"))
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait({self._life})

    def unload(self) -> None:
        """Ends the process of a ready engine to free memory, a GPU's too. `wake` starts a new process."""
        if self._life is not None and self.state.status == "ready":
            logger.info("Engine %d was idle: its process ends", self._load.number)
            self._life.cancel()
            self._enter(EngineState("idle"))

    def wake(self) -> None:
        """Starts a new process if `unload` has ended the last one."""
        if self.state.status == "idle":
            logger.info("Engine %d begins again, since a request waits for it", self._load.number)
            self._life = asyncio.create_task(self._live(after=self._life))
            self._enter(EngineState("reloading"))

    def _enter(self, state: EngineState) -> None:
        if state != self.state:
            self.state = state
            self.usage = self.usage if state.status == "ready" else None
            self.changed()

    async def _live(self, after: asyncio.Task[None] | None = None) -> None:
        if after is not None:
            await asyncio.wait({after})
        while True:
            try:
                death = await self._one_life()
            except OSError as error:  # no memory, or too many processes
                death = EngineDied(f"its process cannot begin: {error}")
            except Exception as error:
                logger.exception("A fault of the server ends the process of engine %d", self._load.number)
                death = EngineDied(f"a fault of the server ended its process ({type(error).__name__})")
            if self.state.status == "failed" and self.info is None:
                return
            self.n_deaths += death.is_ours
            if self.n_deaths < _DEATHS:
                logger.error("Engine %d begins again: %s", self._load.number, death)
                self._enter_between(str(death))
            else:
                cause = f"its process died {self.n_deaths} times with nothing spoken between: {death}"
                logger.critical("Engine %d is given up for %.0f s: %s", self._load.number, _GIVEN_UP_S, cause)
                self._enter(EngineState("failed", cause))
                await asyncio.sleep(_GIVEN_UP_S)
            self.n_restarts += 1

    def _enter_between(self, cause: str) -> None:
        """Enters the state between two processes: "restarting", or "loading" if no model was ever loaded."""
        self._enter(EngineState("loading" if self.info is None else "restarting", cause))

    async def _one_life(self) -> EngineDied:
        """Runs one process to its end, which also ends its requests. Returns the reason. Raises OSError."""
        first, self._first = self._first or Spawned.of(self._command), None
        handle = self._handle = await ProcessHandle.connect(first)
        self._recordings.clear()
        watch = asyncio.create_task(self._watch(handle))
        try:
            handle.send(replace(self._load, again=self.info))
            try:
                await self._listen(handle)
            except BrokenMessage as error:
                handle.leave(f"it said what is no message ({error})")
            self._handle = None
            if self.state.status != "failed":
                self._enter_between(handle.cause or "its process has ended")
            await handle.ended()
        finally:
            self._handle = None
            watch.cancel()
            death = await handle.ended(within_s=0)
            for number in list(self._listeners):
                self._listeners.pop(number).take(death)
            for question in self._questions.values():
                if not question.done():
                    question.set_exception(death)
        return death

    async def _watch(self, handle: ProcessHandle) -> None:
        self._load_s = 0.0
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            stuck_s = handle.stuck_s()
            if self.state.status not in ("ready", "stalled"):
                handle.gets_on()
                self._load_s += _LOOK_EVERY_S  # not by the clock: the server itself may have been stopped
                if self._load_s > self._load_limit_s:
                    return self._abort(handle, f"its load took longer than {self._load_limit_s:.3g} s")
            elif stuck_s >= self._watchdog_s:
                cause = f"it made no progress for {stuck_s:.0f} s ({self._watchdog_s:g} are allowed)"
                return self._abort(handle, cause)
            elif stuck_s >= self._load.config.stall_s:
                if self.state.status == "ready":
                    logger.error("Engine %d gets no new requests: it makes no progress", self._load.number)
                self._enter(EngineState("stalled", f"a step of the model has not ended for {stuck_s:.0f} s"))
            elif self.state.status == "stalled":
                logger.warning("Engine %d works again", self._load.number)
                self._enter(EngineState("ready"))

    def _abort(self, handle: ProcessHandle, cause: str) -> None:
        self.n_watchdog_exits += 1
        logger.critical("Engine %d is ended: %s", self._load.number, cause)
        handle.abort(cause)

    # -- the messages of the process

    async def _listen(self, handle: ProcessHandle) -> None:
        """Takes the messages of the process until the connection to it ends. Raises BrokenMessage."""
        message: messages.ToServer
        async for message in handle.messages():
            if isinstance(message, messages.Heartbeat):
                self._take_heartbeat(handle, message)
            elif isinstance(message, messages.Loaded):
                self.info = message.info
            elif isinstance(message, messages.Answer):
                if (question := self._questions.get(message.number)) and not question.done():
                    question.set_result(message)
            elif (listener := self._listeners.get(message.number)) is not None:
                if isinstance(message, messages.Chunk):
                    self.n_deaths = 0
                if isinstance(message, messages.Released):
                    del self._listeners[message.number]
                    self._used_at = time.monotonic()
                listener.take(message)
                if not self._listeners:
                    self.changed()

    def _take_heartbeat(self, handle: ProcessHandle, heartbeat: messages.Heartbeat) -> None:
        handle.gets_on(heartbeat.step_s)
        if heartbeat.state.status == "ready" and self.state.status not in ("ready", "stalled", "idle"):
            self._used_at = time.monotonic()
            self._load_limit_s = max(self._watchdog_s, _LOADS * self._load_s)
            self._enter(EngineState("ready"))
        elif heartbeat.state.status in ("failed", "lost"):
            cause = heartbeat.state.cause or heartbeat.state.status
            if self.state.status == "loading":  # the next process would fail in the same way
                self._enter(EngineState("failed", cause))
            handle.leave(cause)
        if self.state.status == "ready":
            self.usage = heartbeat.usage or self.usage
