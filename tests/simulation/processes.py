"""Scripted processes: what an engine and the recogniser do by a seed, as the server sees them. They decode
the server's real messages and answer with real frames. What engines speak, and what the recogniser hears in
it, are functions of the request alone."""

from __future__ import annotations

import asyncio
import signal
import zlib
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from glm_tts_api import contracts
from glm_tts_api.contracts import AudioChunk, Float32, Recording, SamplingOptions, SpeechRequest, Voice
from glm_tts_api.engine import messages
from glm_tts_api.engine.frames import LENGTH, decoder, frame
from glm_tts_api.engine.process import EXIT_LOST
from glm_tts_api.engine.seeds import respoken_seed
from glm_tts_api.engine.state import EngineInfo, EngineState
from glm_tts_api.recognition.recogniser import Listen, Transcript
from glm_tts_api.speech.encoding import encode_whole
from glm_tts_api.speech.verifier import MOST_RETAKES
from speech_text import ShownReading
from speech_text.reading import ShownSegment, SpokenSegment

if TYPE_CHECKING:
    from tests.simulation.server_world import World

POISON = "poison"  # a text with this word ends each engine that speaks it
_ENDS = {"exit": 1, "out of memory": -signal.SIGKILL, "lost": EXIT_LOST}
_FAULTS = ("exit", "out of memory", "SIGKILL", "SIGSEGV", "SIGSTOP", "SIGSTOP for a while", "broken frame")

_VOICE = Voice(Recording(np.zeros(1, np.float32), 8000), "text of exampleA", "")
_SEGMENT_CHARS = 40
_NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, 20_000).astype(np.float32)


def asked_of(text: str, seed: int, *, verify: bool = False, streams: bool = False) -> SpeechRequest:
    sampling = SamplingOptions(seed=seed)
    return SpeechRequest("", text, _VOICE, sampling, audio_format="pcm", verify=verify, streams=streams)


def segments_of(text: str) -> list[str]:
    return [text[at : at + _SEGMENT_CHARS] for at in range(0, len(text), _SEGMENT_CHARS)]


def _tokens_of(text: str, segment: int, seed: int, before: Sequence[int]) -> list[int]:
    """The speech tokens of a segment, which continues the segment `before` it."""
    part = segments_of(text)[segment]
    number = zlib.crc32(f"{part}/{segment}/{seed}/{list(before)}".encode())
    return [number % 6000, number // 6000 % 6000, len(part)]


def _pcm_of(tokens: Sequence[int]) -> Float32:
    first = (tokens[0] * 7 + tokens[1]) % 15_000
    return _NOISE[first : first + 800 + tokens[2] * 40].copy()


def _heard_in(pcm: Float32) -> Transcript:
    """What the recogniser hears: a function of the samples."""
    digest = zlib.crc32(np.ascontiguousarray(pcm).data)
    return Transcript(
        "heard", contracts.VERDICTS[sum(digest % 10 < most for most in (4, 5))], float(digest % 7)
    )


def _reading_of(text: str) -> ShownReading:
    parts = segments_of(text)
    shown = [
        ShownSegment(SpokenSegment(part, part), [], 1.0, at * _SEGMENT_CHARS) for at, part in enumerate(parts)
    ]
    return ShownReading(text, shown, float(len(parts)), (), [])


def takes_of(text: str, seed: int) -> Iterator[list[Float32]]:
    """Yields for each segment its takes: the speech, and that with each further seed."""
    before: list[int] = []
    seeds = [seed, *(respoken_seed(seed, take) for take in range(1, 1 + MOST_RETAKES))]
    for segment in range(len(segments_of(text))):
        takes = [_tokens_of(text, segment, each, before) for each in seeds]
        before = takes[0]
        yield [*map(_pcm_of, takes)]


def best_of(takes: list[Float32]) -> Float32:
    """Returns the take that a whole answer has if the recogniser works."""
    tried = [(_heard_in(takes[0]), takes[0])]
    while tried[-1][0].verdict == "drift" and len(tried) <= MOST_RETAKES:
        tried.append((_heard_in(takes[len(tried)]), takes[len(tried)]))
    return min(tried, key=lambda each: (contracts.VERDICTS.index(each[0].verdict), each[0].distance))[1]


def encoded(segments: Sequence[Float32], asked: SpeechRequest) -> bytes:
    chunks = [AudioChunk(pcm, asked.sample_rate, at) for at, pcm in enumerate(segments)]
    return encode_whole(chunks, asked).audio


class Process:
    """The recogniser. Stands for a Popen object, and for the server's side of the pair of sockets. `fault`
    happens at the failpoint number `at`. `spoken` has the requests that it speaks, by their numbers."""

    name, its = "recogniser", decoder(Listen)
    faults: Sequence[str] = _FAULTS
    most_failpoints: Sequence[int] = (12,)

    def __init__(self, world: World) -> None:
        chance = world.chance
        self.world, self.loop, self.pid = world, world.loop, len(world.processes)
        self.pace = world.pace * chance.choice([0.7, 1.0, 1.0, 2.0])
        self.while_s = chance.choice([3.0, 40.0, 100.0, 500.0])  # of a fault that ends
        self.fault, self.at = "", int(chance.choice(self.most_failpoints) * chance.random()) + 1
        if world.n_faults > 0 and chance.random() < 0.6:
            world.n_faults -= 1
            self.fault = chance.choice(self.faults)
        self.began_at = self.loop.now
        self.status: Any = None
        self.died_at = -1.0  # the time at which it ended without a person's kill
        self.is_ready = self.is_stopped = self.is_closed = False
        self.hangs_since: float | None = None  # since then a step has not ended
        self.spent_s, self._n_passed = 0.0, 0
        self.spoken: dict[int, messages.Speak] = {}
        self._n_out_of_memory = world.n_out_of_memory
        self.reader, self.transport = asyncio.StreamReader(loop=self.loop), self
        self._inbox = deque[Any]()
        self._go_on, self._ended = asyncio.Event(), self.loop.create_future()
        self._go_on.set()
        world.processes.append(self)
        world.note(f"{self.name} {self.pid} begins: {self.fault or 'no fault'} at {self.at}")

    @property
    def can_speak(self) -> bool:
        return self.is_ready and self.hangs_since is None and not self.is_stopped

    # -- as Popen

    def send_signal(self, number: int) -> None:
        if self.status is not None:
            return
        self.world.reached[f"{self.name}.signal.{signal.Signals(number).name}"] += 1
        if number == signal.SIGSTOP:
            self.is_stopped = True
            self._go_on.clear()
        elif number == signal.SIGCONT:
            self.is_stopped, self.hangs_since = False, None
            self._go_on.set()
            self._deliver()
        else:
            # The server takes it for the kernel's if memory ran out somewhere since the process began.
            is_clear = self.world.n_out_of_memory == self._n_out_of_memory
            self.die(-number, is_killed=number == signal.SIGKILL and not self.is_closed and is_clear)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self, within_s: float) -> int:
        await asyncio.wait({self._ended}, timeout=within_s)
        self.kill()
        return int(self.status)

    # -- as the server's StreamWriter and its transport

    def write(self, framed: bytes) -> None:
        message = self.its.decode(framed[LENGTH.size :])
        self.loop.call_soon(self.world.judge.sent, message, self.is_ready)
        self._inbox.append(message)
        self.loop.call_later(self.world.chance.random() * 0.002, self._deliver)

    def abort(self) -> None:
        self.is_closed = True
        self.feed(b"")
        self.loop.call_later(0.01, self._end_with_the_server)

    def _end_with_the_server(self) -> None:
        if not self.is_stopped:
            self.die(0)

    # -- the process itself

    def die(self, status: int, *, is_killed: bool = False) -> None:
        if self.status is None:
            self.status = status
            self.died_at = -1.0 if is_killed else self.loop.now
            self.world.note(f"{self.name} {self.pid} ends: {status}")
            self.loop.call_later(self.world.chance.random() * 0.01, self.feed, b"")
            self._ended.set_result(None)

    def feed(self, data: bytes | bytearray) -> None:
        """Sends bytes to the server; none are the end."""
        if not data:
            self.reader.feed_eof()
        elif not self.is_closed:
            self.reader.feed_data(data)

    async def work(self, seconds: float) -> None:
        """Works for so long. A process that is stopped, hangs or has ended does not work."""
        await asyncio.sleep(seconds)
        self.spent_s += seconds
        await self._go_on.wait()
        if self.status is not None:
            raise asyncio.CancelledError

    def _deliver(self) -> None:
        while self._inbox and not self.is_stopped and self.status is None and not self.is_closed:
            message = self._inbox[0]
            name = f"{self.name}.in.{type(message).__name__}"
            if self.pass_point(f"{name}.before"):
                self._inbox.popleft()
                self.take(message)
                self.pass_point(f"{name}.after")

    def say(self, message: Any) -> None:
        """Sends a message. Raises CancelledError if the process has ended."""
        name = f"{self.name}.out.{type(message).__name__}"
        if self.pass_point(f"{name}.before"):
            self.feed(frame(message))
            if self.pass_point(f"{name}.after"):
                return
        raise asyncio.CancelledError

    def pass_point(self, failpoint: str) -> bool:
        """Passes a failpoint. Returns whether the process still lives."""
        if self.status is None:
            self.world.reached[failpoint] += 1
            self._n_passed += 1
            if self.fault and self._n_passed == self.at:
                self.world.reached[f"{failpoint}: a fault"] += 1
                self.fail(self.fault)
        return self.status is None

    def fail(self, fault: str) -> None:
        self.world.note(f"{self.name} {self.pid}: {fault}", reaches=f"{self.name}.fault.{fault}")
        self.world.n_out_of_memory += fault == "out of memory"
        what, _, ends = fault.partition(" for a ")
        if what == "hang":  # a step that does not end; the beats go on
            self.hangs_since = self.loop.now
            self._go_on.clear()
        elif what == "broken frame":
            self.feed(b"\x05\x00\x00\x00broke")
        elif what in _ENDS:
            self.die(_ENDS[what])
        else:
            self.send_signal(signal.Signals[what])
        if ends:
            self.loop.call_later(self.while_s, self.send_signal, signal.SIGCONT)

    def take(self, message: Any) -> None:
        """Takes a message of the server; as the recogniser, a recording."""
        self.world.start(self._hear(message))

    async def _hear(self, asked: Listen) -> None:
        for _ in range(10):
            await self.work(self.pace / 20)
        self.say(_heard_in(asked.recording.samples))


class EngineProcess(Process):
    """An engine. Its steps share its speed: a segment takes `pace` seconds for each request that it speaks,
    without background work. It makes at most `buffer_s` seconds of audio that its listener has not taken."""

    name, its = "engine", decoder(messages.ToEngine, defaultdict(lambda: _VOICE.recording))
    faults, most_failpoints = (*_FAULTS, "no process", "lost", "hang", "hang for a while"), (5, 60, 400)

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.load_s, self.n_rows = world.chance.choice([0.5, 3.0, 20.0]), world.chance.choice([0, 0, 4, 20])
        self.buffer_s = world.chance.choice([0.1, 30.0])
        self._speaking: dict[int, asyncio.Task[None]] = {}
        self._untaken_s = defaultdict[int, float](float)  # seconds of audio, by request
        self._taken = asyncio.Event()
        self._recordings = set[str]()

    def take(self, message: Any) -> None:
        match message:
            case messages.Load():
                self.world.start(self._load())
                self._beat()
            case messages.PutRecording():
                self._recordings.add(message.digest)
            case messages.Speak():
                self.spoken[message.number] = message
                self._speaking[message.number] = self.world.start(self._speak(message))
            case messages.Credit():
                self._untaken_s[message.number] -= message.seconds
                self._taken.set()
            case messages.Cancel() if message.number in self._speaking:
                self._speaking.pop(message.number).cancel()
                self.world.start(self._free(message.number, self.pace))
            case messages.Read():
                self.world.start(self._read(message))

    async def _load(self) -> None:
        await self.work(self.load_s)
        self.say(messages.Loaded(EngineInfo("scripted", "cpu", "float32", n_rows=self.n_rows)))
        self.is_ready = True

    def _beat(self) -> None:
        if self.status is None and not self.is_closed:
            if not self.is_stopped:
                step_s = 0.0 if self.hangs_since is None else self.loop.now - self.hangs_since
                state = EngineState("ready" if self.is_ready else "loading")
                self.feed(frame(messages.Heartbeat(state, step_s, None)))
            self.loop.call_later(self.world.tick_s, self._beat)

    def fail(self, fault: str) -> None:
        if fault == "lost" and self.is_ready:
            self.feed(frame(messages.Heartbeat(EngineState("lost", "the device is gone"), 0.0, None)))
        super().fail(fault)

    async def _speak(self, said: messages.Speak) -> None:
        asked, number = said.request, said.number
        parts, tokens = segments_of(asked.text), {at: list(each) for at, each in said.tokens.items()}
        assert {voice.digest for voice in (asked.voice, *asked.others.values())} <= self._recordings
        self.say(messages.StageChanged(number, "text", 1))
        await self.work(0.01)
        self.say(messages.StageChanged(number, "text", -1))
        self.say(messages.Segments(number, len(parts)))
        for segment in range(said.first, len(parts)):
            if segment not in tokens:
                await self._step(0.6, said)
                before = tokens.get(segment - 1, [])
                tokens[segment] = _tokens_of(asked.text, segment, asked.sampling.seed, before)
                self.say(messages.Decoded(number, segment, tokens[segment]))
            n_pieces = self.world.chance.randint(1, 3) if asked.streams else 1
            for at, piece in enumerate(np.array_split(_pcm_of(tokens[segment]), n_pieces), start=1):
                await self._step(0.4 / n_pieces, said)
                is_last = at == n_pieces
                wait_s = 0.3 if segment == 0 and not is_last else 0.0
                what = parts[segment] if asked.verify else ""
                chunk = AudioChunk(piece, asked.sample_rate, segment, is_last, wait_s=wait_s, said=what)
                self._untaken_s[number] += chunk.seconds
                self.say(messages.Chunk(number, chunk))
        self.say(messages.Ended(number, None))
        del self._speaking[number]
        self.world.start(self._free(number, 0.05))

    async def _free(self, number: int, most_s: float) -> None:
        await self.work(self.world.chance.random() * most_s)
        del self.spoken[number]
        self.say(messages.Released(number))

    async def _step(self, share: float, said: messages.Speak) -> None:
        """Does a part of a segment's work. A poisonous text ends the process at its first step."""
        is_last = said.is_background
        beside = [each for each in self.spoken.values() if is_last or not each.is_background]
        await self.work(self.pace * share * max(1, len(beside)))
        while self._untaken_s[said.number] >= self.buffer_s:
            self._taken.clear()
            await self._taken.wait()
        if POISON in said.request.text:
            self.fail("SIGSEGV" if len(said.request.text) % 2 else "out of memory")
            raise asyncio.CancelledError

    async def _read(self, asked: messages.Read) -> None:
        await self.work(0.02)
        self.say(messages.Answer(asked.number, _reading_of(asked.text)))
