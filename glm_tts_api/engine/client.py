"""An engine as the server has it: its process, which is started again when it dies, and the requests to it.
Runs on the event loop; loads no model.

The client ends the process when it is lost, when it sends an invalid message, and when it says nothing for
WATCHDOG_S or its step takes longer than that. Its requests then end with EngineDied, and speech/engines.py
has another engine speak them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from itertools import count

from msgspec.structs import replace

from glm_tts_api.contracts import NO_PROGRESS, Progress, ReadingOptions, SpeechRequest, Timings
from glm_tts_api.engine import messages
from glm_tts_api.engine.child import Begun, Child, EngineDied
from glm_tts_api.engine.messages import BrokenMessage, error_of
from glm_tts_api.engine.state import EngineInfo, EngineState, EngineUsage
from glm_tts_api.engine.stream import SpeechStream
from glm_tts_api.text.reading import ShownReading

logger = logging.getLogger(__name__)

# With nothing spoken between: then it is given up. One more than a text is given (speech/engines.py), so that
# a text that ends engines does not end the service.
_DEATHS = 4
_GIVEN_UP_S = 300.0  # until it is tried again: what ended it may be over
_LOOK_EVERY_S = 0.1


class EngineClient:
    """One engine. `changed` is called after each change of its state. `begun`: its first process, if that has
    begun already; `command` begins the others."""

    def __init__(
        self, load: messages.Load, *, watchdog_s: float, command: Sequence[str], begun: Begun | None = None
    ) -> None:
        self.changed: Callable[[], None] = lambda: None
        self.state = EngineState("loading")
        self.n_restarts = self.n_watchdog_exits = 0
        self._load = load
        self._watchdog_s = watchdog_s
        self._command, self._begun = command, begun
        self._info: EngineInfo | None = None
        self._usage: EngineUsage | None = None
        self._life: asyncio.Task[None] | None = None
        self._child: Child | None = None
        self._numbers = count()
        self._streams: dict[int, SpeechStream] = {}
        self._questions: dict[int, asyncio.Future[messages.Answer]] = {}
        self._n_deaths = 0  # since something was spoken
        self._used_at = time.monotonic()

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child is not None else None

    @property
    def n_streams(self) -> int:
        return len(self._streams)

    def info(self) -> EngineInfo | None:
        """The engine's facts; None until a model was loaded."""
        return self._info

    def usage(self) -> EngineUsage | None:
        """The engine's usage, at most a second old; None while it cannot speak."""
        return self._usage if self.state.status == "ready" else None

    def idle_for(self, seconds: float) -> bool:
        """Whether it is ready, and nobody has used it for so long."""
        in_use = self._streams or self._questions
        return self.state.status == "ready" and not in_use and time.monotonic() - self._used_at >= seconds

    # -- what is asked of it

    def synthesize(
        self,
        asked: SpeechRequest,
        timings: Timings,
        *,
        progress: Progress = NO_PROGRESS,
    ) -> SpeechStream:
        """Starts speaking. The stream raises what can go wrong: EngineDied, NothingToSay, BadRequest,
        InternalFault."""
        number = next(self._numbers)
        stream = SpeechStream(
            left=lambda: self._send(messages.Leave(number)),
            took=lambda seconds: self._send(messages.Took(number, seconds)),
            timings=timings,
        )
        self._streams[number] = stream
        if self._child is None:
            self._bury(number, EngineDied("it had ended before"))
        else:
            self._child.speak(number, asked, progress)
        return stream

    async def read(self, text: str, options: ReadingOptions) -> ShownReading:
        """The reading of a text. Raises EngineDied, and the error with which the text is refused."""
        number = next(self._numbers)
        answer = await self._ask(number, messages.Read(number, text, options))
        self._used_at = time.monotonic()
        assert answer.reading is not None
        return answer.reading

    async def clear_cache(self) -> int:
        """Forgets voices and texts and returns the allocators' cached memory; bytes freed. That is no use
        of the engine. Raises EngineDied."""
        number = next(self._numbers)
        return (await self._ask(number, messages.ClearCache(number))).freed

    async def _ask(self, number: int, question: messages.Message) -> messages.Answer:
        if self._child is None:
            raise EngineDied("it had ended before")
        answer = self._questions[number] = asyncio.get_running_loop().create_future()
        self._send(question)
        try:
            told: messages.Answer = await answer
        except asyncio.CancelledError:
            self._send(messages.Leave(number))
            raise
        finally:
            del self._questions[number]
        if told.fault is not None:
            raise error_of(told.fault)
        return told

    def _send(self, message: messages.Message) -> None:
        if self._child is not None:
            self._child.send(message)

    # -- its life

    def start(self) -> None:
        """Begins a process, and another one whenever it dies. Returns at once. The process ends with the
        thread that this is called on."""
        self._life = asyncio.create_task(self._live())

    async def close(self) -> None:
        """Ends the process, and all that waits for it."""
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait({self._life})

    def unload(self) -> None:
        """Ends the process for now: its memory, a GPU's too, goes back to the machine."""
        if self._life is not None and self.state.status == "ready":
            logger.info("Engine %d was idle: its process ends", self._load.number)
            self._life.cancel()
            self._enter(EngineState("idle"))

    def wake(self) -> None:
        """Begins a process again where it was unloaded."""
        if self.state.status == "idle":
            logger.info("Engine %d begins again, since a request waits for it", self._load.number)
            self._life = asyncio.create_task(self._live(after=self._life))
            self._enter(EngineState("reloading"))

    def _enter(self, state: EngineState) -> None:
        if state != self.state:
            self.state = state
            self.changed()

    async def _live(self, after: asyncio.Task[None] | None = None) -> None:
        if after is not None:
            await asyncio.wait({after})
        while True:
            try:
                death = await self._one_life()
            except OSError as error:  # no memory, no more processes
                death = EngineDied(f"its process cannot begin: {error}")
            if self.state.status == "failed" and self._info is None:
                return
            self._n_deaths += death.is_ours
            if self._n_deaths < _DEATHS:
                logger.error("Engine %d begins again: %s", self._load.number, death)
                self._enter_between(str(death))
            else:
                cause = f"its process died {self._n_deaths} times with nothing spoken between: {death}"
                logger.critical("Engine %d is given up for %.0f s: %s", self._load.number, _GIVEN_UP_S, cause)
                self._enter(EngineState("failed", cause))
                await asyncio.sleep(_GIVEN_UP_S)
            self.n_restarts += 1

    def _enter_between(self, cause: str) -> None:
        """Between a process and its successor."""
        self._enter(EngineState("loading" if self._info is None else "restarting", cause))

    async def _one_life(self) -> EngineDied:
        """Runs a process from its start to its end; returns the reason for the end. Raises OSError."""
        begun, self._begun = self._begun or Begun.of(self._command), None
        child = self._child = await Child.heard_from(begun)
        watch = asyncio.create_task(self._watch(child))
        try:
            child.send(self._load if self._info is None else replace(self._load, again_on=self._info.device))
            await self._hear(child)
            self._child = None
            if self.state.status != "failed":
                self._enter_between(child.cause or "its process has ended")
            await child.ended()
        finally:
            self._child = None
            watch.cancel()
            death = await child.ended(within_s=0)
            for number in list(self._streams):
                self._bury(number, death)
            for question in self._questions.values():
                if not question.done():
                    question.set_exception(death)
        return death

    async def _hear(self, child: Child) -> None:
        """Takes the process's messages until they end or one is invalid."""
        try:
            async for message in child.said():
                self._take(child, message)
        except BrokenMessage as error:
            child.leave(f"it said what is no message ({error})")

    async def _watch(self, child: Child) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            stuck_s = child.stuck_s()
            if self.state.status not in ("ready", "stalled"):  # a load may take as long as it takes
                child.gets_on()
            elif stuck_s >= self._watchdog_s:
                self.n_watchdog_exits += 1
                cause = f"it did not get on for {stuck_s:.0f} s (WATCHDOG_S={self._watchdog_s:g})"
                logger.critical("Engine %d is ended: %s", self._load.number, cause)
                child.abort(cause)
                return
            elif stuck_s >= self._load.config.stall_s:
                if self.state.status == "ready":
                    logger.error("Engine %d takes nothing new: a step does not end", self._load.number)
                self._enter(EngineState("stalled", f"a step of the model has not ended for {stuck_s:.0f} s"))
            elif self.state.status == "stalled":
                logger.warning("Engine %d gets on again", self._load.number)
                self._enter(EngineState("ready"))

    # -- what it says

    def _take(self, child: Child, message: messages.ToServer) -> None:
        if isinstance(message, messages.Beat):
            self._take_beat(child, message)
        elif isinstance(message, messages.Loaded):
            self._info = message.info
        elif isinstance(message, messages.Answer):
            if (question := self._questions.get(message.number)) and not question.done():
                question.set_result(message)
        elif (stream := self._streams.get(message.number)) is not None:
            self._take_of(stream, message)

    def _take_beat(self, child: Child, beat: messages.Beat) -> None:
        child.gets_on(beat.step_s)
        self._usage = beat.usage or self._usage
        if beat.state.status == "ready" and self.state.status not in ("ready", "stalled", "idle"):
            self._used_at = time.monotonic()
            self._enter(EngineState("ready"))
        elif beat.state.status in ("failed", "lost"):
            cause = beat.state.cause or beat.state.status
            if self.state.status == "loading":  # so would the next one
                self._enter(EngineState("failed", cause))
            child.leave(cause)

    def _take_of(self, stream: SpeechStream, message: messages.OfRequest) -> None:
        timings = stream.timings
        match message:
            case messages.Chunk():
                self._n_deaths = 0
                stream.put(message.audio())
            case messages.StageChanged():
                (timings.begin if message.by > 0 else timings.end)(message.stage)
            case messages.Segments():
                timings.segments = message.n_segments
            case messages.Decoded():
                stream.tokens[message.segment] = message.tokens
            case messages.Guarded():
                timings.guarded(message.segment, message.n_retakes, message.fault)
            case messages.Ended():
                stream.put(None if message.fault is None else error_of(message.fault))
            case messages.Freed():
                del self._streams[message.number]
                self._used_at = time.monotonic()
                stream.freed()
                if not self._streams:
                    self.changed()

    def _bury(self, number: int, death: EngineDied) -> None:
        """The request's end here: nothing holds anything of it."""
        stream = self._streams.pop(number)
        stream.timings.interrupt()
        stream.put(death)
        stream.freed()
