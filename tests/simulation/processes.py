"""Scripted processes: what an engine and the recogniser do by a seed, as the server sees them. They decode
the server's real messages and answer with real frames."""

from __future__ import annotations

import asyncio
import signal
from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from glm_tts_api.contracts import AudioChunk, Voice
from glm_tts_api.engine import messages
from glm_tts_api.engine.frames import TO_ENGINE, Frames, decoder, frame
from glm_tts_api.engine.process import EXIT_LOST
from glm_tts_api.engine.state import EngineInfo, EngineState
from glm_tts_api.recognition.recogniser import Listen
from tests.simulation.spoken import heard_in, pcm_of, reading_of, segments_of, tokens_of

if TYPE_CHECKING:
    from tests.simulation.world import World

POISON = "poison"  # a text with this word ends each engine that speaks it


@dataclass
class Plan:
    """What one process does. `load_s` is how long it loads, `pace` the seconds of a segment. `fault` happens
    at the failpoint number `at`, `load_fault` while it loads."""

    load_s: float = 2.0
    pace: float = 1.0
    beat_s: float = 0.5
    at: int = 0
    fault: str = ""
    load_fault: str = ""
    n_slots: int = 0
    stopped_s: float = 60.0


class Process:
    """Stands for a Popen object, and for the server's side of the pair of sockets."""

    name = "process"

    def __init__(self, world: World, plan: Plan, its: Any) -> None:
        self.pid = 1000 + len(world.processes)
        self.world, self.plan = world, plan
        self.began_at = self.loop.time()
        self.status: int | None = None
        self.stopped = self.closed = self._is_cut = False
        self.is_killed = False  # by a person
        self._n_out_of_memory = world.n_out_of_memory
        self.is_ready = False
        self.hangs_since: float | None = None  # since then a step has not ended
        self.spent_s = 0.0
        self.reader = asyncio.StreamReader(loop=self.loop)
        self.transport = self
        self._frames = Frames(its)
        self._inbox: deque[Any] = deque()
        self._outbox: deque[bytes] = deque()
        self._line_at = 0.0
        self._n_passed = 0
        self._is_aborted = False
        self._go_on = asyncio.Event()
        self._go_on.set()
        self._ended = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    # -- as Popen

    def send_signal(self, number: int) -> None:
        if self.status is not None:
            return
        self.world.reach(f"{self.name}.signal.{signal.Signals(number).name}")
        if number == signal.SIGSTOP:
            self.stopped = True
            self._go_on.clear()
        elif number == signal.SIGCONT:
            self.stopped = False
            self._go_on_if_it_may()
            self._deliver()
            if self._is_aborted:
                self.die(-signal.SIGABRT)
        elif number == signal.SIGABRT and self.stopped:
            self._is_aborted = True
        else:
            # The server takes it for the kernel's if memory ran out somewhere since the process began.
            is_clear = self.world.n_out_of_memory == self._n_out_of_memory
            self.is_killed = number == signal.SIGKILL and not self.closed and is_clear
            self.die(-number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self, within_s: float) -> int:
        try:
            await asyncio.wait_for(self._ended.wait(), within_s)
        except TimeoutError:
            self.kill()
        assert self.status is not None
        return self.status

    # -- as the server's StreamWriter and its transport

    def write(self, data: bytes) -> None:
        came = [*self._frames.push(bytes(data))]
        if self.status is not None:
            self._count_deaths(came)  # the server has not noticed the death
        elif not self.closed:
            self._inbox.extend(came)
            self.loop.call_later(self.world.chance.random() * 0.002, self._deliver)

    def abort(self) -> None:
        if not self.closed:
            self.closed = True
            self._feed_eof()
            self.start(self._end_with_the_server())

    async def _end_with_the_server(self) -> None:
        await self.work(0.01)
        self.die(0)

    # -- the process itself

    def die(self, status: int) -> None:
        if self.status is None:
            self.status = status
            self.world.note(f"{self.name} {self.pid} ends: {status}")
            self._count_deaths([*self.spoken(), *self._inbox])
            for task in list(self._tasks):
                if task is not asyncio.current_task():
                    task.cancel()
            self.loop.call_later(self.world.chance.random() * 0.01, self._feed_eof)
            self._ended.set()

    def _feed_eof(self) -> None:
        if not self._is_cut:
            self._is_cut = True
            for data in self._outbox:
                self.reader.feed_data(data)
            self._outbox.clear()
            self.reader.feed_eof()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_ended)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.world.errors.append(error)

    async def work(self, seconds: float) -> None:
        """Works for so long. A stopped process does not work."""
        await asyncio.sleep(seconds)
        self.spent_s += seconds
        await self._go_on.wait()

    def _go_on_if_it_may(self) -> None:
        if not self.stopped and self.hangs_since is None:
            self._go_on.set()

    def _deliver(self) -> None:
        while self._inbox and not self.stopped and self.status is None and not self.closed:
            message = self._inbox[0]
            name = f"{self.name}.in.{type(message).__name__}"
            if self._pass(f"{name}.before"):
                self._inbox.popleft()
                self.take(message)
                self._pass(f"{name}.after")

    def take(self, message: Any) -> None:
        raise NotImplementedError

    def spoken(self) -> list[messages.Speak]:
        """The requests that the process speaks now."""
        return []

    def _count_deaths(self, at: Sequence[object]) -> None:
        """Counts the end of this process for each request in `at`, unless a person has killed it."""
        for message in at:
            if isinstance(message, messages.Speak) and not self.is_killed:
                self.world.deaths_at[message.asked.text] += 1

    def say(self, message: Any) -> None:
        """Sends a message. Raises CancelledError if the process has ended."""
        name = f"{self.name}.out.{type(message).__name__}"
        if self._pass(f"{name}.before"):
            self._send(bytes(frame(message)))
            if self._pass(f"{name}.after"):
                return
        raise asyncio.CancelledError

    def _send(self, data: bytes) -> None:
        self._line_at = max(self._line_at, self.loop.time() + self.world.chance.random() * 0.003)
        self._outbox.append(data)
        self.loop.call_at(self._line_at, self._arrive)

    def _arrive(self) -> None:
        if self._outbox and not self._is_cut:
            self.reader.feed_data(self._outbox.popleft())

    def _pass(self, failpoint: str) -> bool:
        """Passes a failpoint. Returns whether the process still lives."""
        if self.status is not None:
            return False
        self.world.reach(failpoint)
        self._n_passed += 1
        if self.plan.fault and self._n_passed == self.plan.at:
            self.world.reach(f"{failpoint}: a fault")
            self.fail(self.plan.fault)
        return self.status is None

    def fail(self, fault: str) -> None:
        self.world.reach(f"{self.name}.fault.{fault}")
        self.world.note(f"{self.name} {self.pid}: {fault}")
        match fault:
            case "exit":
                self.die(1)
            case "segfault":
                self.die(-signal.SIGSEGV)
            case "kill":
                self.send_signal(signal.SIGKILL)
            case "out of memory":
                self.world.n_out_of_memory += 1
                self.die(-signal.SIGKILL)
            case "stop":
                self.send_signal(signal.SIGSTOP)
            case "stop a while":
                self.send_signal(signal.SIGSTOP)
                self.loop.call_later(self.plan.stopped_s, self.send_signal, signal.SIGCONT)
            case "broken":
                self._send(b"\x05\x00\x00\x00broke")


@dataclass(eq=False)
class _Speech:
    """A request in an engine."""

    said: messages.Speak
    is_left: bool = False
    waiting_s: float = 0.0
    taken: asyncio.Event = field(default_factory=asyncio.Event)


class EngineProcess(Process):
    """An engine. Its steps share its speed: a segment takes `plan.pace` seconds for each request that it
    speaks."""

    name = "engine"

    def __init__(self, world: World, plan: Plan) -> None:
        super().__init__(world, plan, TO_ENGINE)
        self.speeches: dict[int, _Speech] = {}
        self._recordings: set[str] = set()
        self._state = EngineState("loading")
        self._beats = {False: bytes(frame(messages.Beat(EngineState("ready"), 0.0, None)))}

    def spoken(self) -> list[messages.Speak]:
        return [speech.said for speech in self.speeches.values()]

    def take(self, message: Any) -> None:
        match message:
            case messages.Load():
                self.start(self._load(message))
                self._beat()
            case messages.Heard():
                self._recordings.add(message.digest)
            case messages.Forget():
                self._recordings.remove(message.digest)
            case messages.Speak():
                self.speeches[message.number] = _Speech(message)
                self.start(self._speak(message))
            case messages.Took() if message.number in self.speeches:
                speech = self.speeches[message.number]
                speech.waiting_s -= message.seconds
                speech.taken.set()
            case messages.Leave() if message.number in self.speeches:
                self.speeches[message.number].is_left = True
                self.speeches[message.number].taken.set()
            case messages.Read() | messages.ClearCache():
                self.start(self._answer(message.number, message))

    async def _load(self, load: messages.Load) -> None:
        self.buffer_s = load.config.stream_buffer_s
        fault = self.plan.load_fault
        await self.work(self.plan.load_s * (0.5 if fault else 1.0))
        if fault == "hang":
            self.world.reach("engine.load.hang")
            return
        if fault == "refuse":
            self.world.reach("engine.load.refuse")
            self._state = EngineState("failed", "the weights are gone")
            self._say_beat(0.0)
            return
        if fault:
            self.world.reach(f"engine.load.{fault}")
            self.fail(fault)
            return
        info = EngineInfo("scripted", "cpu", "float32", n_slots=self.plan.n_slots)
        self.say(messages.Loaded(info))
        self.is_ready = True
        self._state = EngineState("ready")

    def _beat(self) -> None:
        if self.status is not None or self.closed:
            return
        if not self.stopped:
            self._say_beat(0.0 if self.hangs_since is None else self.loop.time() - self.hangs_since)
        self.loop.call_later(self.plan.beat_s, self._beat)

    def _say_beat(self, step_s: float) -> None:
        if self.is_ready and not step_s and not self._outbox:
            self.reader.feed_data(self._beats[False])
        else:
            self._send(bytes(frame(messages.Beat(self._state, step_s, None))))

    def fail(self, fault: str) -> None:
        if fault == "hang":  # a step that does not end; the beats go on
            self.world.reach("engine.fault.hang")
            self.hangs_since = self.loop.time()
            self._go_on.clear()
        elif fault == "hang a while":
            self.fail("hang")
            self.loop.call_later(self.plan.stopped_s, self._hang_ends)
        elif fault == "lost":
            super().fail(fault)
            self._state = EngineState("lost", "the device is gone")
            self._say_beat(0.0)
            self.loop.call_later(0.005, self.die, EXIT_LOST)
        else:
            super().fail(fault)

    def _hang_ends(self) -> None:
        self.hangs_since = None
        self._go_on_if_it_may()

    async def _speak(self, said: messages.Speak) -> None:
        asked, number, speech = said.asked, said.number, self.speeches[said.number]
        for voice in (asked.voice, *asked.others.values()):
            assert isinstance(voice, Voice)
            assert voice.digest in self._recordings
        self.say(messages.StageChanged(number, "text", 1))
        await self.work(0.01)
        self.say(messages.StageChanged(number, "text", -1))
        self.say(messages.Segments(number, len(segments_of(asked.text))))
        if await self._speak_segments(said, speech):
            self.say(messages.Ended(number, None))
        await self.work(self.world.chance.random() * 0.05)
        del self.speeches[number]
        self.say(messages.Freed(number))

    async def _speak_segments(self, said: messages.Speak, speech: _Speech) -> bool:
        """Returns whether all is spoken; False if the listener has left."""
        asked, parts = said.asked, segments_of(said.asked.text)
        tokens: dict[int, list[int]] = {at: list(each) for at, each in said.progress.tokens.items()}
        for segment in range(said.progress.first, len(parts)):
            if segment not in tokens:
                await self._step(0.6, speech)
                tokens[segment] = tokens_of(asked, segment, tokens.get(segment - 1, []))
                self.say(messages.Decoded(said.number, segment, tokens[segment]))
            n_pieces = self.world.chance.randint(1, 3) if asked.streams else 1
            for at, piece in enumerate(np.array_split(pcm_of(tokens[segment]), n_pieces), start=1):
                await self._step(0.4 / n_pieces, speech)
                if speech.is_left:
                    return False
                is_last = at == n_pieces
                wait_s = 0.3 if segment == 0 and not is_last else 0.0
                what = parts[segment] if asked.verify else ""
                chunk = AudioChunk(piece, asked.sample_rate, segment, is_last, wait_s=wait_s, said=what)
                speech.waiting_s += chunk.seconds
                self.say(messages.Chunk(said.number, chunk))
        return True

    async def _step(self, share: float, speech: _Speech) -> None:
        """Does a part of a segment's work. A poisonous text ends the process at its first step."""
        await self.work(self.plan.pace * share * len(self.speeches))
        while speech.waiting_s >= self.buffer_s and not speech.is_left:
            speech.taken.clear()
            await speech.taken.wait()
        if POISON in speech.said.asked.text and not speech.is_left:
            self.fail("segfault" if len(speech.said.asked.text) % 2 else "out of memory")
            raise asyncio.CancelledError

    async def _answer(self, number: int, message: Any) -> None:
        await self.work(0.02)
        match message:
            case messages.Read():
                self.say(messages.Answer(number, reading_of(message.text)))
            case _:
                self.say(messages.Answer(number, 7))


class RecogniserProcess(Process):
    name = "recogniser"

    def __init__(self, world: World, plan: Plan) -> None:
        super().__init__(world, plan, decoder(Listen))

    def take(self, message: Any) -> None:
        self.start(self._hear(message))

    async def _hear(self, asked: Listen) -> None:
        for _ in range(10):
            await self.work(self.plan.pace / 20)
        self.say(heard_in(asked.recording.samples))
