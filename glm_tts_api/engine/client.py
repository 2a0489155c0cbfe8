"""An engine's process as the server has it: started, heard, watched, begun again. Runs on the event loop;
loads no model.

The process is ended when it is lost, when it says what is no message, and when its step takes longer than
WATCHDOG_S or it says nothing for as long: first by SIGABRT, at which it writes into the log what each of its
threads does. Its requests then end with EngineDied, and whoever holds them has them spoken elsewhere
(speech/engines.py).
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

from glm_tts_api.contracts import AudioChunk, LexiconEntry, SpeechRequest, Timings, Voice
from glm_tts_api.engine import messages
from glm_tts_api.engine.messages import BrokenMessage, Frames, bytes_of, error_of, frame
from glm_tts_api.engine.state import EngineInfo, EngineState, EngineUsage
from glm_tts_api.engine.stream import SpeechStream
from glm_tts_api.text.reading import ShownReading

logger = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "glm_tts_api.engine.process")
# OpenMP's threads wait for the next operator for some 0.4 ms and sleep then. The stages share the cores: left
# to spin, their threads were seen to make a flow step 20 times slower; without any spinning a decode step on
# two cores took 2.7 times as long.
THREADS_WAIT = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "10000"}
_DEATHS = 3  # with nothing spoken between: then it is given up
_KEPT_RECORDINGS = 64  # as many as the engine keeps features of
_LOOK_EVERY_S = 0.1
_LOOK_AT_MOST_S = 1.0  # after a longer time between two looks this process was stopped too
_LAST_WORDS_S = 2.0  # for what a process still says before it is killed
_AT_ONCE = 2**20


class EngineDied(Exception):
    """The engine's process ended in the middle; the cause in one sentence. `is_ours`: of the engine's own, or
    of what it was doing, and not by somebody's hand."""

    def __init__(self, cause: str, *, is_ours: bool = True) -> None:
        super().__init__(cause)
        self.is_ours = is_ours


class EngineClient:
    """One engine. `changed` is called after each change of its state."""

    def __init__(
        self,
        load: messages.Load,
        *,
        watchdog_s: float,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self.changed: Callable[[], None] = lambda: None
        self.state = EngineState("loading")
        self.n_restarts = self.n_watchdog_exits = 0
        self.pid: int | None = None
        self._load = load
        self._watchdog_s = watchdog_s
        self._command = command
        self._info: EngineInfo | None = None
        self._usage: EngineUsage | None = None
        self._life: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._numbers = count()
        self._streams: dict[int, SpeechStream] = {}
        self._questions: dict[int, asyncio.Future[messages.Answer]] = {}
        self._recordings: OrderedDict[str, None] = OrderedDict()  # those that the process has
        self._n_deaths = 0  # since something was spoken
        self._last_words = ""  # of a process that is about to end
        self._silent_s = self._step_s = 0.0
        self._used_at = time.monotonic()

    @property
    def n_streams(self) -> int:
        return len(self._streams)

    def info(self) -> EngineInfo | None:
        """None until a model was loaded."""
        return self._info

    def usage(self) -> EngineUsage | None:
        """At most a second old; None while it cannot speak."""
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
        spoken: Mapping[int, Sequence[int]] | None = None,
        first: int = 0,
    ) -> SpeechStream:
        """Starts speaking. The stream raises what can go wrong: EngineDied, NothingToSay, BadRequest,
        InternalFault. `spoken`: the tokens of segments that are decoded; `first`: the one heard first."""
        number = next(self._numbers)
        stream = SpeechStream(
            left=lambda: self._send(messages.Leave(number)),
            took=lambda seconds: self._send(messages.Took(number, seconds)),
            timings=timings,
        )
        self._streams[number] = stream
        if self._writer is None:
            self._bury(number, EngineDied("it had ended before"))
            return stream
        assert isinstance(asked.voice, Voice)
        named = replace(
            asked,
            voice=self._named(asked.voice),
            others={name: self._named(voice) for name, voice in asked.others.items()},
        )
        self._send(messages.Speak(number, named, spoken or {}, first))
        while len(self._recordings) > _KEPT_RECORDINGS:
            self._send(messages.Forget(self._recordings.popitem(last=False)[0]))
        return stream

    def _named(self, voice: Voice) -> Voice:
        """The voice without its samples, which the process has from here on."""
        digest, recording = voice.digest, voice.recording
        if digest not in self._recordings:
            self._send(messages.Heard(digest, recording.sample_rate, bytes_of(recording.samples)))
            self._recordings[digest] = None
        self._recordings.move_to_end(digest)
        return Voice(replace(recording, samples=messages.NO_SAMPLES), voice.transcript, digest, voice.name)

    async def read(self, text: str, lexicon: Sequence[LexiconEntry], *, use_phoneme: bool) -> ShownReading:
        """How a text is read. Raises EngineDied, and what a text is refused with."""
        number = next(self._numbers)
        answer = await self._ask(number, messages.Read(number, text, use_phoneme, lexicon))
        assert answer.reading is not None
        return answer.reading

    async def clear_cache(self) -> int:
        """Forgets voices and texts and returns the allocators' cached memory; bytes freed. Raises
        EngineDied."""
        number = next(self._numbers)
        return (await self._ask(number, messages.ClearCache(number))).freed

    async def _ask(self, number: int, question: messages.Message) -> messages.Answer:
        if self._writer is None:
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
            self._used_at = time.monotonic()
        if told.fault is not None:
            raise error_of(told.fault)
        return told

    def _send(self, message: messages.Message) -> None:
        if self._writer is not None:
            self._writer.write(frame(message))

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
            death = await self._one_life()
            if self.state.status == "loading":  # so would the next one
                self._enter(EngineState("failed", str(death)))
                return
            self._n_deaths += death.is_ours
            if self._n_deaths == _DEATHS:
                logger.critical("Engine %d is given up: %s", self._load.number, death)
                self._enter(EngineState("failed", f"{_DEATHS} times with nothing spoken between: {death}"))
                return
            logger.error("Engine %d begins again: %s", self._load.number, death)
            self.n_restarts += 1
            self._enter(EngineState("restarting", str(death)))

    async def _one_life(self) -> EngineDied:
        """From a process's start to its end; why it ended."""
        n_out_of_memory = _n_out_of_memory()
        own, its = socket.socketpair()
        with its:
            try:
                process = subprocess.Popen(  # noqa: ASYNC220, on this thread, with which it ends
                    [*self._command, str(its.fileno())],
                    pass_fds=[its.fileno()],
                    stdin=subprocess.DEVNULL,
                    env={**THREADS_WAIT, **os.environ},
                )
            except OSError as error:  # no memory, no more processes
                own.close()
                return EngineDied(f"its process cannot begin: {error}")
        self.pid, self._last_words = process.pid, ""
        reader, self._writer = await asyncio.open_connection(sock=own)
        self._send(self._load)
        watch = asyncio.create_task(self._watch(process))
        try:
            await self._hear(reader)
            if self.state.status != "loading":
                self._enter(EngineState("restarting", self._last_words or "its process has ended"))
            await asyncio.to_thread(_ended_within, process, _LAST_WORDS_S)
        finally:
            watch.cancel()
            self._writer.transport.abort()
            self._writer = self.pid = None
            process.kill()
            status = await asyncio.to_thread(process.wait)
            death = self._death(status, out_of_memory=_n_out_of_memory() > n_out_of_memory)
            self._recordings.clear()
            for number in list(self._streams):
                self._bury(number, death)
            for question in self._questions.values():
                question.set_exception(death)
        return death

    def _death(self, status: int, *, out_of_memory: bool) -> EngineDied:
        """Why a process has ended that did with `status`."""
        if self._last_words:
            return EngineDied(self._last_words)
        if status >= 0:
            return EngineDied(f"its process ended with exit code {status}")
        by = signal.Signals(-status).name
        if by == "SIGKILL" and out_of_memory:
            return EngineDied("the kernel ended its process, since memory ran out")
        return EngineDied(f"its process was ended by {by}", is_ours=by not in ("SIGKILL", "SIGTERM"))

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        """Until the process says no more, or what nobody understands."""
        frames = Frames(messages.TO_SERVER)
        try:
            while data := await reader.read(_AT_ONCE):
                for message in frames.push(data):
                    self._take(message)
        except BrokenMessage as error:
            self._last_words = f"it said what is no message ({error})"
        except ConnectionError:
            pass

    async def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Until the process has ended."""
        self._silent_s = self._step_s = 0.0
        looked_at = time.monotonic()
        while process.poll() is None:
            await asyncio.sleep(_LOOK_EVERY_S)
            now = time.monotonic()
            self._silent_s += min(now - looked_at, _LOOK_AT_MOST_S)
            looked_at = now
            if self.state.status not in ("ready", "stalled"):  # a load may take as long as it takes
                self._silent_s = 0.0
                continue
            stuck_s = max(self._silent_s, self._step_s)
            if stuck_s >= self._watchdog_s:
                self._last_words = f"it did not get on for {stuck_s:.0f} s (WATCHDOG_S={self._watchdog_s:g})"
                self.n_watchdog_exits += 1
                logger.critical("Engine %d is ended: %s", self._load.number, self._last_words)
                process.send_signal(signal.SIGABRT)
                await asyncio.to_thread(_ended_within, process, _LAST_WORDS_S)
                process.kill()
                return
            if stuck_s >= self._load.config.stall_s:
                self._enter(EngineState("stalled", f"a step of the model has not ended for {stuck_s:.0f} s"))
            elif self.state.status == "stalled":
                logger.warning("Engine %d gets on again", self._load.number)
                self._enter(EngineState("ready"))

    # -- what it says

    def _take(self, message: messages.ToServer) -> None:
        if isinstance(message, messages.Beat):
            self._take_beat(message)
        elif isinstance(message, messages.Loaded):
            self._info = message.info
        elif isinstance(message, messages.Answer):
            if (question := self._questions.get(message.number)) and not question.done():
                question.set_result(message)
        elif (stream := self._streams.get(message.number)) is not None:
            self._take_of(stream, message)

    def _take_beat(self, beat: messages.Beat) -> None:
        self._silent_s, self._step_s = 0.0, beat.step_s
        self._usage = beat.usage or self._usage
        if beat.state.status == "ready" and self.state.status in ("loading", "reloading", "restarting"):
            self._used_at = time.monotonic()
            self._enter(EngineState("ready"))
        elif beat.state.status in ("failed", "lost"):
            self._last_words = beat.state.cause or beat.state.status
            assert self._writer is not None
            self._writer.transport.abort()

    def _take_of(self, stream: SpeechStream, message: messages.OfRequest) -> None:
        timings = stream.timings
        match message:
            case messages.Chunk():
                self._n_deaths = 0
                pcm = messages.samples_of(message.pcm)
                stream.put(
                    AudioChunk(pcm, message.sample_rate, message.segment, message.ends_segment, message.speed)
                )
            case messages.StageChanged():
                (timings.begin if message.by > 0 else timings.end)(message.stage)
            case messages.Segments():
                timings.segments = message.n_segments
            case messages.Decoded():
                stream.tokens[message.segment] = message.tokens
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


def _ended_within(process: subprocess.Popen[bytes], seconds: float) -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def _n_out_of_memory() -> int:
    """How often the kernel has ended a process for want of memory."""
    with suppress(OSError, ValueError):
        for line in Path("/proc/vmstat").read_text(encoding="ascii").splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0
