"""One simulated server, all by a seed: its settings, what goes wrong in its processes, and its life: a busy
time, a calm one in which it must recover, hours without a client, and a stop."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import shutil
import signal
import zlib
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from fastapi import FastAPI

from glm_tts_api import api_server
from glm_tts_api.api.app_state import AppState
from glm_tts_api.errors import ServiceError
from glm_tts_api.http.connections import ConnectionLimits
from glm_tts_api.http.drain import InFlight
from glm_tts_api.settings import Settings
from glm_tts_api.speech.recent import RecentAnswers
from tests.simulation.deeds import KEYS, Deeds
from tests.simulation.judge import Judge, WrongError
from tests.simulation.processes import Plan, Process, RecogniserProcess
from tests.simulation.replaced import replaced
from tests.simulation.virtual import VirtualLoop

_FAULTS = ["exit", "segfault", "kill", "out of memory", "stop", "stop a while", "broken"]
_ENGINE_FAULTS = [*_FAULTS, "hang", "hang a while", "lost"]
_LOAD_FAULTS = ["exit", "segfault", "kill", "hang", "stop", "no process"]
_LIMITS = ConnectionLimits()
_HEALTHY_S = 2000.0  # until an engine speaks again after the last fault, of which a load may last 900 s
_JOBS_S = 40_000.0  # until all jobs are at rest
_SWEEP_S = 580.0  # every 600 s a server removes old jobs
_WATCHDOG_S = 150.0  # after which no process is left that hangs or is stopped


class World:
    """A simulation of one seed. `reached` counts the failpoints and states that it passed, `waits` has the
    longest waits by kind, and `events` is its history."""

    app: FastAPI
    parts: AppState

    def __init__(self, loop: VirtualLoop, root: Path, seed: int) -> None:
        self.loop, self.root, self.seed, self.chance = loop, root, seed, loop.chance
        self.reached = Counter[str]()
        self.waits: dict[str, float] = {}
        self.events: list[str] = []
        self.digest = 0
        self.processes: list[Process] = []
        self.deaths_at = Counter[str]()  # by text: ends of processes by themselves while they spoke it
        self.n_out_of_memory = 0
        self.n_faults = 0  # that processes may still have
        self.is_hostile = self.disk_is_full = False  # whether texts, files and clocks do harm
        self.stops: list[float] = []
        self.errors: list[BaseException] = []
        chance = self.chance
        self.n_engines = chance.choice([1, 1, 2, 2, 3])
        self.has_keys = chance.random() < 0.3
        self.beat_s = chance.choice([0.3, 1.0, 1.0])
        self._pace = chance.choice([0.5, 1.0, 3.0])
        self.settings = self._settings()
        self.judge, self.deeds = Judge(self), Deeds(self)

    @property
    def now(self) -> float:
        return self.loop.now

    @property
    def lives(self) -> list[Process]:
        return [each for each in self.processes if each.status is None]

    def note(self, event: str) -> None:
        line = f"{self.now:10.3f} {event}"
        self.digest = zlib.crc32(line.encode(), self.digest)
        self.events.append(line)

    def reach(self, what: str) -> None:
        self.reached[what] += 1

    def wait(self, kind: str, seconds: float) -> None:
        self.waits[kind] = max(seconds, self.waits.get(kind, 0.0))

    def plan_of(self, is_engine: bool) -> Plan:
        """Decides what a new process will do."""
        chance = self.chance
        plan = Plan(
            load_s=chance.choice([0.5, 3.0, 20.0]),
            pace=self._pace * chance.choice([0.7, 1.0, 1.0, 4.0]),
            beat_s=self.beat_s,
            n_slots=chance.choice([0, 0, 4, 20]),
            stopped_s=chance.choice([3.0, 40.0, 100.0, 500.0]),
        )
        if self.n_faults > 0 and chance.random() < 0.6:
            self.n_faults -= 1
            if not is_engine:
                plan.fault, plan.at = chance.choice(_FAULTS), chance.randint(1, 12)
            elif chance.random() < 0.3:
                plan.load_fault = chance.choice(_LOAD_FAULTS)
            else:
                plan.fault = chance.choice(_ENGINE_FAULTS)
                plan.at = int(chance.choice([10, 60, 400]) * chance.random()) + 1
        return plan

    def timeout_of(self, text: str) -> float:
        return self.settings.admission.measure(len(text)).timeout_s

    def stopped_since(self, at: float) -> bool:
        return any(stop >= at for stop in self.stops) or self.parts.in_flight.closing

    def _settings(self) -> Settings:
        chance, root = self.chance, self.root
        keys: dict[str, Any] = {}
        if self.has_keys:
            limits = ("places = 1", "requests_a_minute = 20")
            tables = [
                f'[key{number}]\nsha256 = "{hashlib.sha256(key.encode()).hexdigest()}"\n{limit}\n'
                for number, (key, limit) in enumerate(zip(KEYS[1:], limits, strict=True))
            ]
            (root / "keys.toml").write_text("".join(tables))
            keys = {"api_keys": KEYS[:1], "api_keys_file": root / "keys.toml"}
        settings = Settings(
            _env_file=None,  # type: ignore[call-arg]
            workers=self.n_engines,
            short_text_concurrency=chance.randint(1, 4),
            long_text_concurrency=chance.randint(1, 2),
            short_text_timeout=chance.choice([30.0, 60.0]),
            medium_text_timeout=120.0,
            long_text_timeout=240.0,
            queue_max_size=chance.choice([2, 5, 30]),
            idle_unload_s=chance.choice([0, 0, 30]),
            jobs_dir=root / "jobs",
            run_dir=root / "run",
            prompts_dir=root / "prompts",
            prompt_min_seconds=0.5,
            drain_timeout=chance.choice([5.0, 60.0]),
            asr_model_dir=root,
            **keys,
        )
        settings._root = root
        return settings

    # -- the life of a server

    async def run(self) -> None:
        tracebacks = _Tracebacks(self.errors)
        logging.getLogger().addHandler(tracebacks)
        self.loop.set_exception_handler(self._take_error)
        try:
            with replaced(self):
                for life in range(self.chance.choice([1, 1, 2])):
                    await self._life(life)
        finally:
            logging.getLogger().removeHandler(tracebacks)
        self.raise_errors()

    def _take_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.errors.append(WrongError(f"asyncio: {context.get('message')} {context.get('exception')!r}"))

    def raise_errors(self) -> None:
        if self.errors:
            raise self.errors[0]

    async def _life(self, life: int) -> None:
        app, in_flight = _app(with_keys=self.has_keys)
        running = api_server._lifespan(
            app,
            settings=self.settings,
            keys=self.settings.read_keys(),
            in_flight=in_flight,
            build_engine=api_server.engine_process,
            with_others=None,
            limits=_LIMITS,
            recent=RecentAnswers(),
        )
        self.n_faults = self.chance.choice([0, 2, 5, 10])
        self.is_hostile = self.n_faults > 0
        numbers = (signal.SIGTERM, signal.SIGINT)
        handlers = {number: signal.signal(number, lambda *_: None) for number in numbers}
        try:
            async with running:
                self.app, self.parts = app, app.state.parts
                self.note(f"life {life} begins: {self.n_engines} engines, {self.n_faults} faults")
                watch = asyncio.create_task(self._watch())
                if not self.is_hostile and self._pace > 1 and self.chance.random() < 0.5:
                    await self.deeds.do_without_pause(2000.0)
                await self.deeds.do(self.chance.uniform(10.0, 200.0))
                await self._recover()
                await self._idle()
                if self.chance.random() < 0.4:
                    await self.deeds.do(self.chance.uniform(1.0, 30.0))
                await self._stop()
                watch.cancel()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        self.raise_errors()
        if self.lives:
            raise WrongError(f"after the server's end {len(self.lives)} processes run")

    async def _watch(self) -> None:
        try:
            while True:
                await asyncio.sleep(2.0)
                self.judge.look()
        except Exception as error:
            self.errors.append(error)

    async def _recover(self) -> None:
        """Ends all faults, and requires that each request ends, that the server is healthy and answers, and
        that each job comes to rest."""
        self.n_faults, self.is_hostile, self.disk_is_full = 0, False, False
        for process in self.processes:
            process.plan.fault = ""
        self.note("calm")
        began = self.now
        await self.until(lambda: not self.deeds.n_open, _HEALTHY_S, "has answered all requests")
        await asyncio.sleep(_WATCHDOG_S)
        await self.until(lambda: self.parts.speech.status in ("healthy", "idle"), _HEALTHY_S, "is healthy")
        self.wait("until it is healthy again", self.now - began)
        await self.deeds.require_answers()
        await self.until(self._jobs_rest, _JOBS_S, "has finished its jobs")
        self.judge.jobs()
        await asyncio.sleep(5.0)
        self.judge.rest()

    async def until(self, holds: Callable[[], bool], within_s: float, what: str) -> None:
        until = self.now + within_s
        while not holds():
            await asyncio.sleep(1.0)
            self.raise_errors()
            if self.now > until:
                raise WrongError(f"within {within_s:.0f} s the server never {what}")

    def _jobs_rest(self) -> bool:
        return not any(look.state in ("queued", "running") for look in self.parts.jobs._shelf.looks)

    async def _idle(self) -> None:
        until = self.now + self.chance.uniform(3600.0, 4 * 3600.0)
        while self.now < until:
            if all(isinstance(each, RecogniserProcess) or each.is_ready for each in self.lives):
                self.loop.skip(_SWEEP_S)
            await asyncio.sleep(5.0)
            self.raise_errors()
        self.judge.rest()

    async def _stop(self) -> None:
        self.note("stops")
        self.stops.append(self.now)
        handler: Any = signal.getsignal(signal.SIGTERM)
        handler(signal.SIGTERM, None)
        began = self.now
        await self.until(lambda: self.parts.in_flight.closing, 1.0, "stops")
        await self.until(lambda: not self.deeds.n_open, self.settings.drain_timeout + 30, "has ended")
        self.wait("stop", self.now - began)


class _Tracebacks(logging.Handler):
    """Collects the errors that the server logs with a traceback: nobody expects these."""

    def __init__(self, errors: list[BaseException]) -> None:
        super().__init__(logging.ERROR)
        self._errors = errors

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and not isinstance(record.exc_info[1], (OSError, TimeoutError, ServiceError)):
            self._errors.append(WrongError(f"the log has a traceback: {self.format(record)}"))


@cache
def _made_app(with_keys: bool) -> tuple[FastAPI, InFlight]:
    in_flight = InFlight()
    server: Any = api_server
    kept, server.InFlight = server.InFlight, lambda: in_flight
    settings = Settings(_env_file=None, api_keys=KEYS[:1] if with_keys else ())  # type: ignore[call-arg]
    app = api_server.create_app(settings, limits=_LIMITS)
    server.InFlight = kept
    return app, in_flight


def _app(*, with_keys: bool) -> tuple[FastAPI, InFlight]:
    """Returns the app, which takes a second to make, as it is before a server's life."""
    app, in_flight = _made_app(with_keys)
    in_flight.__init__()  # type: ignore[misc]
    return app, in_flight


def project_folder(root: Path) -> None:
    """Makes the files that each simulated server reads: one voice."""
    prompts = root / "configs" / "prompts"
    prompts.mkdir(parents=True)
    soundfile.write(prompts / "a.wav", np.sin(np.arange(8000) / 9).astype(np.float32) / 4, 8000)
    index = '{"exampleA": {"prompt_audio_path": "prompts/a.wav", "prompt_text": "text of exampleA"}}'
    (root / "configs" / "prompt_cache.json").write_text(index)


def emptied(root: Path) -> Path:
    for name in ("jobs", "run", "prompts"):
        shutil.rmtree(root / name, ignore_errors=True)
    return root
