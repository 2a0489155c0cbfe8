"""One simulated server, all by a seed: its settings, what goes wrong in its processes, and its lives. A life
has a busy time, mostly a calm one in which the server must recover and hours without a client, and a stop."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
import os
import signal
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from glm_tts_api import api_server, errors
from glm_tts_api.api.app_state import AppState
from glm_tts_api.durable import replace_file
from glm_tts_api.engine.child import Child
from glm_tts_api.engine.frames import TO_SERVER
from glm_tts_api.http.drain import InFlight
from glm_tts_api.longform.reading import read_book
from glm_tts_api.settings import Settings
from glm_tts_api.speech.recent import RecentAnswers
from tests.simulation.deeds import KEYS, Deeds
from tests.simulation.judge import Judge, WrongError
from tests.simulation.processes import EngineProcess, Process
from tests.simulation.virtual import VirtualLoop

_LIFESPAN: Any = api_server._lifespan
_HEALTHY_S = 2000.0  # until an engine speaks again after the last fault, of which a load may last 900 s
_JOBS_S = 40_000.0  # until all jobs are at rest
_WATCHDOG_S = 150.0  # after which no process is left that hangs or is stopped


class World:
    """A simulation of one seed. `reached` counts the failpoints and states that it passed, `waits` has the
    longest waits by kind, and `events` is its history."""

    app: FastAPI
    parts: AppState
    tick_s: float
    _patch: pytest.MonkeyPatch

    def __init__(self, loop: VirtualLoop, root: Path, seed: int) -> None:
        self.loop, self.root, self.seed, self.chance = loop, root, seed, loop.chance
        self.reached = Counter[str]()
        self.waits: dict[str, float] = {}
        self.events: list[str] = []
        self.processes: list[Process] = []
        self.deaths_at = Counter[str]()  # by text: ends of processes by themselves while they spoke it
        self.n_out_of_memory = self.n_given_up = 0
        self.n_faults = 0  # that processes may still have
        self.is_hostile = False  # whether texts, files and clocks do harm
        self.full_until = 0.0  # the time at which the disk has room again
        self.stops: list[float] = []
        self.errors: list[BaseException] = []
        self._handlers: dict[int, Any] = {}
        loop.grain = self.chance.choice([0.0, 0.05])
        self.n_engines = self.chance.choice([1, 1, 2, 2, 3])
        self.has_keys = self.chance.random() < 0.3
        self.pace = self.chance.choice([0.5, 1.0, 3.0])
        self.settings = self._settings()
        self.judge, self.deeds = Judge(self), Deeds(self)

    @property
    def lives(self) -> list[Process]:
        return [each for each in self.processes if each.status is None]

    def note(self, event: str) -> None:
        self.events.append(f"{self.loop.now:10.3f} {event}")

    def wait(self, kind: str, seconds: float) -> None:
        self.waits[kind] = max(seconds, self.waits.get(kind, 0.0))

    def stopped_since(self, at: float) -> bool:
        return any(stop >= at for stop in self.stops) or self.parts.in_flight.closing

    def take_end(self, task: asyncio.Task[Any]) -> None:
        """Notes the error with which a task of the simulation has ended."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.errors.append(error)

    def raise_errors(self) -> None:
        if self.errors:
            raise self.errors[0]

    def _settings(self) -> Settings:
        chance, root = self.chance, self.root
        keys: dict[str, Any] = {}
        if self.has_keys:
            keys = {"api_keys": [*KEYS][:1], "api_keys_file": root / "keys.toml"}
            tables = [
                f'[key{number}]\nsha256 = "{hashlib.sha256(key.encode()).hexdigest()}"\n{limit}\n'
                for number, (key, limit) in enumerate([*KEYS.items()][1:])
            ]
            keys["api_keys_file"].write_text("".join(tables))
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

    # -- the lives of a server

    async def run(self) -> None:
        log = logging.Handler(logging.ERROR)
        log.emit = self._take_record  # type: ignore[method-assign]
        logging.getLogger().addHandler(log)
        self.loop.set_exception_handler(self._take_error)
        try:
            with pytest.MonkeyPatch.context() as patch:
                self._patch = patch
                for name, value in _replacements(self).items():
                    patch.setattr(name, value)
                self._set_tick(1.0)
                for left in reversed(range(self.chance.choice([1, 1, 2, 3]))):
                    await self._life(is_last=not left)
                    if left:
                        self.deeds.while_down()
        finally:
            logging.getLogger().removeHandler(log)
        self.raise_errors()

    def handle(self, number: int, handler: Any) -> Any:
        """Stands for signal.signal."""
        before, self._handlers[number] = self._handlers.get(number, lambda *_: None), handler
        return before

    def lifespan(self, app: FastAPI, settings: Any, keys: Any, in_flight: InFlight, *others: Any) -> Any:
        in_flight.__init__()  # type: ignore[misc]
        return _LIFESPAN(
            app, self.settings, self.settings.read_keys(), in_flight, *others[:-1], RecentAnswers()
        )

    def _take_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.errors.append(WrongError(f"asyncio: {context.get('message')} {context.get('exception')!r}"))

    def _take_record(self, record: logging.LogRecord) -> None:
        """Notes that the recogniser was given up. Nobody expects an error with a traceback, unless it cut an
        answer that had begun."""
        message = record.getMessage()
        if "recogniser of speech" in message and ("hung" in message or "fault 1 " not in message):
            self.n_given_up += 1
        error = record.exc_info[1] if record.exc_info else None
        is_known = isinstance(error, (OSError, TimeoutError, errors.ServiceError))
        if error is not None and not is_known and not hasattr(errors, str(error).partition(";")[0]):
            self.errors.append(WrongError(f"the log has a traceback: {logging.Formatter().format(record)}"))

    async def _life(self, *, is_last: bool) -> None:
        self.n_faults = self.chance.choice([0, 2, 5, 10])
        self.is_hostile = self.n_faults > 0
        app = self.app = _app(self.has_keys)
        async with app.router.lifespan_context(app):
            self.parts = app.state.parts
            self.note(f"a life begins: {self.n_engines} engines, {self.n_faults} faults")
            watch = asyncio.create_task(self._watch())
            watch.add_done_callback(self.take_end)
            if not (self.is_hostile or self.stops) and self.pace > 1 and self.chance.random() < 0.5:
                await self.deeds.do_without_pause(2000.0)
            await self.deeds.do(self.chance.uniform(10.0, 200.0))
            if is_last or self.chance.random() < 0.5:
                await self._recover()
                for _ in range(self.chance.choice([1, 1, 3])):
                    await self._idle()
                    await self.deeds.do(self.chance.choice([0.0, 30.0]))
            await self._stop()
            watch.cancel()
        self.raise_errors()
        if self.lives:
            raise WrongError(f"after the server's end {len(self.lives)} processes run")

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(max(3.0, self.tick_s))
            self.judge.look()

    async def _recover(self) -> None:
        """Ends all faults, and requires that each request ends, that the server is healthy and answers, and
        that each job comes to rest."""
        self.n_faults, self.is_hostile, self.full_until = 0, False, 0.0
        for process in self.processes:
            process.fault = ""
        self.note("calm")
        began = self.loop.now
        await self.until(lambda: not self.deeds.open, _HEALTHY_S, "has answered all requests")
        await asyncio.sleep(_WATCHDOG_S)
        await self.until(lambda: self.parts.speech.status in ("healthy", "idle"), _HEALTHY_S, "is healthy")
        self.wait("until it is healthy again", self.loop.now - began)
        await self.deeds.require_answers()
        await self.until(lambda: not self.judge.open_jobs(), _JOBS_S, "has finished its jobs")
        self.judge.jobs()
        await asyncio.sleep(5.0)
        self.judge.rest()

    def _set_tick(self, seconds: float) -> None:
        """Sets after which time each loop looks again."""
        self.tick_s = seconds
        for name in ("api_server", "engine.client", "longform.jobs"):
            self._patch.setattr(f"glm_tts_api.{name}._LOOK_EVERY_S", seconds)

    async def until(self, holds: Callable[[], bool], within_s: float, what: str) -> None:
        until = self.loop.now + within_s
        while not holds():
            self.raise_errors()
            if self.loop.now > until:
                raise WrongError(f"within {within_s:.0f} s the server never {what}")
            await asyncio.sleep(1.0)

    async def _idle(self) -> None:
        """Lets hours pass. Each tick is as long as a minute meanwhile."""
        await self.until(lambda: not (self.deeds.open or self.judge.open_jobs()), _JOBS_S, "is at rest")
        self._set_tick(60.0)
        await asyncio.sleep(self.chance.uniform(3600.0, 8 * 3600.0))
        self._set_tick(1.0)
        await asyncio.sleep(61.0)
        self.judge.rest()

    async def _stop(self) -> None:
        self.note("stops")
        self.stops.append(self.loop.now)
        self._handlers[signal.SIGTERM](signal.SIGTERM, None)
        began = self.loop.now
        await self.until(lambda: self.parts.in_flight.closing, 1.0, "stops")
        await self.until(lambda: not self.deeds.open, self.settings.drain_timeout + 30, "has ended")
        self.wait("stop", self.loop.now - began)


@cache
def _app(with_keys: bool) -> FastAPI:
    """Makes the app, which takes a second. World puts the parts of each life into it."""
    return api_server.create_app(Settings(_env_file=None, api_keys=("any",) if with_keys else ()))  # type: ignore[call-arg]


async def _for_ever(*_: Any) -> None:
    await asyncio.Event().wait()


async def _connect(spawned: Any, its: Any = TO_SERVER) -> Child:
    return Child(spawned[0], spawned[0].reader, spawned[0], its)


def _replacements(world: World) -> dict[str, Any]:
    """Returns the scripted parts that stand in the place of what takes real time, by their names. The times
    of files follow the simulated clock, and the disk can be full."""
    touch = Path.touch

    async def read_apart(data: str, name: str, **_: Any) -> Any:
        await asyncio.sleep(world.chance.random() * 0.3)
        return read_book(data, name), []

    def begin(command: Sequence[str]) -> Any:
        process = EngineProcess(world) if "glm_tts_api.engine.process" in command else Process(world)
        if process.fault == "no process":
            world.reached["engine.fault.no process"] += 1
            process.die(1)
            raise OSError("too many processes")
        return process, None

    def set_time(path: Path) -> None:
        at = world.loop.now + world.loop.wall_offset
        with suppress(OSError):
            os.utime(path, (at, at))

    def touched(path: Path, *args: Any, **options: Any) -> None:
        touch(path, *args, **options)
        set_time(path)

    def replace_with(path: Path, data: bytes) -> None:
        kind = "audio" if path.suffix == ".flac" else path.name
        world.reached[f"disk.{kind}.before"] += 1
        if world.loop.now < world.full_until:
            world.reached[f"disk.{kind}.full"] += 1
            raise OSError(errno.ENOSPC, "No space left on device")
        replace_file(path, data)
        set_time(path)
        world.reached[f"disk.{kind}.after"] += 1

    return {
        "anyio.to_thread.run_sync": lambda call, *args, **_: world.loop.run_in_executor(None, call, *args),
        "glm_tts_api.api.v1.jobs.read_apart": read_apart,
        "glm_tts_api.api_server.keep_gauges": _for_ever,
        "glm_tts_api.api_server.keep_loop_lag": _for_ever,
        "glm_tts_api.api_server.keep_memory_small": _for_ever,
        "glm_tts_api.api_server._lifespan": world.lifespan,
        "glm_tts_api.engine.child.Spawned.of": staticmethod(begin),
        "glm_tts_api.engine.child.Child.connect": staticmethod(_connect),
        "glm_tts_api.engine.child.Child._wait": lambda child, within_s: child._process.wait(within_s),
        "glm_tts_api.engine.child._n_out_of_memory": lambda: world.n_out_of_memory,
        "glm_tts_api.longform.folder.replace_file": replace_with,
        "glm_tts_api.recognition.recogniser.Recogniser._missing": lambda recogniser: "",
        "glm_tts_api.recognition.recogniser.cpu_seconds": lambda pid: world.processes[pid].spent_s,
        "pathlib.Path.touch": touched,
        "secrets.token_hex": lambda nbytes=32: world.chance.randbytes(nbytes).hex(),
        "signal.signal": world.handle,
        "uuid.uuid4": lambda: uuid.UUID(int=world.chance.getrandbits(128), version=4),
    }
