"""Lanes without engines, in a time that jumps, and lanes with engines."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from glm_tts_api.contracts import SpeechRequest, Timings
from glm_tts_api.speech.admission import Admission, Permit
from glm_tts_api.speech.clients import ANYONE, Client
from glm_tts_api.speech.engines import Engines
from glm_tts_api.speech.stream import SpeechStream
from glm_tts_api.stats.lanes import AdmissionConfig, LaneName, TextLength
from glm_tts_api.stats.workers import LaneCounts, no_counts

SHORT, LONG = 5, 500  # characters


class ClockThatJumps(asyncio.SelectorEventLoop):
    """A loop that waits for nobody: where nothing is to be done, its clock goes on to the next timer."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Impatient(self))

    def time(self) -> float:
        return self._now

    def go_on(self, seconds: float) -> None:
        self._now += seconds


class _Impatient(selectors.SelectSelector):
    def __init__(self, loop: ClockThatJumps) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "nothing will ever happen"
        self._loop.go_on(timeout)
        return super().select(0)


def now() -> float:
    return asyncio.get_running_loop().time()


def counted(**counts: int) -> LaneCounts:
    return {**no_counts(), **counts}  # type: ignore[dict-item]


def config(
    short_text: int = 15, long_text: int = 5, short_timeout_s: float = 60, queue_size: int = 100
) -> AdmissionConfig:
    timeouts_s = {**AdmissionConfig().timeouts_s, "short_text": short_timeout_s}
    limits: dict[LaneName, int] = {"short_text": short_text, "long_text": long_text}
    return AdmissionConfig(limits, timeouts_s=timeouts_s, queue_size=queue_size)


class Lanes:
    """The lanes of some engines. `ranks` says how good each engine is, `n_rows` how many requests it speaks
    at once (0: it has not said)."""

    def __init__(self, n_engines: int, **limits: Any) -> None:
        self.ranks, self.n_rows = [1] * n_engines, [0] * n_engines
        self.admission = Admission(
            config(**limits), n_engines, lambda number: self.ranks[number], lambda number: self.n_rows[number]
        )

    def admit(
        self, n_chars: int = SHORT, client: Client = ANYONE, *, came_s_ago: float = 0.0
    ) -> AbstractAsyncContextManager[Permit]:
        length = self.admission.config.measure(n_chars)
        return self.admission.admit(length, arrived_at=now() - came_s_ago, client=client)

    async def speak(self, seconds: float = 0.0, n_chars: int = SHORT, client: Client = ANYONE) -> int:
        """Holds a place for some seconds. Returns the number of its engine."""
        async with self.admit(n_chars, client) as permit:
            await asyncio.sleep(seconds)
            return permit.engine

    def counts(self, engine: int = 0, lane: LaneName = "short_text") -> LaneCounts:
        return self.admission.counts_on(engine)[lane]

    def active(self, lane: LaneName = "short_text") -> list[int]:
        return [self.counts(engine, lane)["active"] for engine in range(len(self.ranks))]


def play(scenario: Callable[[Lanes], Awaitable[None]], n_engines: int = 1, **limits: Any) -> None:
    """Runs `scenario` with lanes of one place on each engine, unless `limits` say otherwise."""

    async def run() -> None:
        await scenario(Lanes(n_engines, **{"short_text": 1, "long_text": 1, **limits}))

    with asyncio.Runner(loop_factory=ClockThatJumps) as runner:
        runner.run(run())


class Service:
    """Engines and their lanes, joined as the server joins them."""

    length = TextLength(SHORT, "short_text", 120, "SHORT_TEXT_TIMEOUT")

    def __init__(self, engines: Sequence[Any], **limits: Any) -> None:
        self.engines = Engines(engines)
        self.admission = Admission(config(**limits), len(engines), self.engines.rank)
        self.engines.changed = self.admission.look_again

    @asynccontextmanager
    async def speaking(self, asked: SpeechRequest) -> AsyncIterator[SpeechStream]:
        admitted = self.admission.admit(self.length, arrived_at=now())
        async with admitted as permit, SpeechStream(self.engines, asked, Timings(), permit) as stream:
            yield stream
