"""The stream of a request: what holds its first chunks back, how it ends, what it waits for, and when a whole
answer is known to be late. The simulation has the deaths of engines."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from glm_tts_api.contracts import AudioChunk, Recording, SpeechRequest, Voice
from glm_tts_api.engine import messages
from glm_tts_api.engine.child import EngineDied
from glm_tts_api.engine.client import Listener
from glm_tts_api.engine.state import EngineState, Status
from glm_tts_api.errors import DeadlineExceeded, InternalFault, Unhealthy
from glm_tts_api.speech.engines import Engines
from glm_tts_api.speech.request_log import Playback, RequestLog
from glm_tts_api.speech.stream import SpeechStream
from speech_text import ReadingOptions, ShownReading
from tests.speech.lanes import LONG, Lanes, Service, play

N_SEGMENTS = 200
TEN_S_EACH = [10.0] * 30
ANY = np.zeros(1, np.float32)
VOICE = Voice(Recording(ANY, 24000), "a", "0")
REQUEST = SpeechRequest("a", "text", VOICE)


class Engine:
    """An engine that says what a test says. An idle one is ready once it is woken."""

    n_streams = n_deaths = 0

    def __init__(self, status: Status = "ready") -> None:
        self.state, self.said = EngineState(status), list[str]()
        self.changed: Callable[[], None] = lambda: None

    def become(self, status: Status) -> None:
        self.state = EngineState(status)
        self.changed()

    def wake(self) -> None:
        self.become("reloading")
        asyncio.get_running_loop().call_soon(self.become, "ready")

    async def read(self, *_: Any) -> ShownReading:
        raise EngineDied("it was told to die")

    def speak(self, listener: Listener, *request: Any, is_background: bool) -> int:
        self._listener = listener
        return 7

    def send(self, message: messages.Credit | messages.Cancel) -> None:
        if isinstance(message, messages.Cancel):
            self.said.append(f"cancel {message.number}")

    def say(self, *what: AudioChunk | Exception | None) -> None:
        for each in what:
            if isinstance(each, AudioChunk):
                self._listener.take(messages.Chunk(7, each))
            else:
                fault = messages.fault_of(each) if isinstance(each, InternalFault) else None
                self._listener.take(messages.Ended(7, fault))

    def free(self) -> None:
        self._listener.take(messages.Released(7))


def chunk(segment: int, wait_s: float = 0.0) -> AudioChunk:
    return AudioChunk(ANY, 24000, segment, wait_s=wait_s)


def run(
    scene: Callable[[Engine, SpeechStream], Awaitable[None]],
    *,
    n_spoken: int = 1,
    use_cache: bool = True,
    playback: Playback | None = None,
) -> Lanes:
    """Runs `scene` with an engine and a stream, in a time that jumps. Returns the lanes afterwards."""
    held: list[Lanes] = []

    async def in_lanes(lanes: Lanes) -> None:
        held.append(lanes)
        engine, request = Engine(), replace(REQUEST, use_cache=use_cache)
        engines: Engines = Engines([engine])  # type: ignore[list-item]
        log = RequestLog("a", "v1", None, length=lanes.admission.config.measure(LONG), playback=playback)
        log.timings.segments = N_SEGMENTS
        async with lanes.admit(LONG) as permit:
            stream = SpeechStream(engines, request, log.timings, permit, log, active=[log] * n_spoken)
            async with stream:
                await scene(engine, stream)
            assert engine.said == ["cancel 7"]
        assert lanes.active("long_text") == [1]
        engine.free()
        assert lanes.active("long_text") == [0]

    play(in_lanes)
    return held[0]


def refusal(gaps_s: Sequence[float], **options: Any) -> tuple[int, str] | None:
    """After how many segments, which end with these gaps between, the request is refused, and how."""
    refused: list[tuple[int, str]] = []

    async def say(engine: Engine) -> None:
        for number, gap_s in enumerate(gaps_s):
            await asyncio.sleep(gap_s)
            engine.say(chunk(number))
        engine.say(None)

    async def speak(engine: Engine, stream: SpeechStream) -> None:
        saying, n_segments = asyncio.create_task(say(engine)), 0
        try:
            async for _ in stream:
                n_segments += 1
        except DeadlineExceeded as late:
            refused.append((n_segments, late.message))
            saying.cancel()

    run(speak, **options)
    return refused[0] if refused else None


def test_it_is_said_with_what_the_answer_would_take_once_the_pace_is_known() -> None:
    refused = refusal(TEN_S_EACH)
    assert refused is not None
    n_segments, message = refused
    assert n_segments == 5
    assert "some 2000 s, and 600 s are allowed (LONG_TEXT_TIMEOUT)" in message


@pytest.mark.parametrize(
    ("gaps_s", "others"),
    [
        ([2.0] * 30, {}),
        ([1.0] * 7 + [200.0] + [1.0] * 7, {}),
        (TEN_S_EACH, {"n_spoken": 4}),
        (TEN_S_EACH, {"use_cache": False}),
        (TEN_S_EACH, {"playback": Playback()}),
    ],
    ids=["in time", "an engine died between", "its neighbours may end", "side by side", "sent as it is made"],
)
def test_what_may_still_be_done_goes_on(gaps_s: list[float], others: dict[str, Any]) -> None:
    assert refusal(gaps_s, **others) is None


def test_chunks_arrive_in_order_and_the_error_that_ended_the_request_is_raised() -> None:
    async def scene(engine: Engine, stream: SpeechStream) -> None:
        engine.say(chunk(0), chunk(1), InternalFault("broken"))
        assert [(await anext(stream)).segment for _ in range(2)] == [0, 1]
        with pytest.raises(InternalFault, match="broken"):
            await anext(stream)

    run(scene)


def test_a_chunk_that_comes_once_the_first_may_be_read_is_held_back_no_more() -> None:
    async def scene(engine: Engine, stream: SpeechStream) -> None:
        engine.say(chunk(0, wait_s=1))
        await asyncio.sleep(2)
        engine.say(chunk(1, wait_s=1))
        assert [(await anext(stream)).segment for _ in range(2)] == [0, 1]
        third = asyncio.create_task(anext(stream))
        await asyncio.sleep(2)
        engine.say(chunk(2))
        assert (await third).segment == 2

    run(scene)


@pytest.mark.parametrize("later", [chunk(1), None, InternalFault("broken")])
def test_what_waits_for_its_player_leaves_when_more_lets_it_start_or_no_more_comes(
    later: AudioChunk | Exception | None,
) -> None:
    async def scene(engine: Engine, stream: SpeechStream) -> None:
        engine.say(chunk(0, wait_s=3600))
        first = asyncio.create_task(anext(stream))
        await asyncio.sleep(1)
        assert not first.done()
        engine.say(later)
        assert (await first).segment == 0

    run(scene)


def test_a_wait_ends_by_itself_and_nothing_waits_after_it() -> None:
    async def scene(engine: Engine, stream: SpeechStream) -> None:
        begin = asyncio.get_running_loop().time()
        engine.say(chunk(0, wait_s=3))
        assert (await anext(stream)).segment == 0
        engine.say(chunk(1, wait_s=3600))
        assert (await anext(stream)).segment == 1
        assert asyncio.get_running_loop().time() == pytest.approx(begin + 3)

    run(scene)


def test_who_has_something_to_play_until_then_waits_for_nothing() -> None:
    playback = Playback()
    playback.sounds_until = time.perf_counter() + 7200

    async def scene(engine: Engine, stream: SpeechStream) -> None:
        begin = asyncio.get_running_loop().time()
        engine.say(chunk(0, wait_s=3600))
        assert (await anext(stream)).segment == 0
        assert asyncio.get_running_loop().time() == begin

    run(scene, playback=playback)


async def test_who_waits_for_an_engine_hears_when_there_will_be_none() -> None:
    engine = Engine("restarting")
    waiting = asyncio.create_task(Service([engine]).speaking(REQUEST).__aenter__())
    await asyncio.sleep(0)
    engine.become("failed")
    with pytest.raises(Unhealthy):
        await waiting


async def test_idle_engines_are_woken_where_the_ready_ones_are_full() -> None:
    busy, idle = Engine(), Engine("idle")
    service = Service([busy, idle], short_text=1)
    async with service.speaking(REQUEST), service.speaking(REQUEST):
        assert idle.state.status == "ready"
    assert busy.said == idle.said == ["cancel 7"]


async def test_a_text_is_not_read_at_once_again_and_again_where_engines_die_of_it() -> None:
    with pytest.raises(InternalFault):
        await Engines([Engine()]).read("text", ReadingOptions())  # type: ignore[list-item]
