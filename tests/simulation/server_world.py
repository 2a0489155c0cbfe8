"""One simulated server, all by a seed: its settings, what goes wrong in its processes, and its lives. A life
has a busy time, mostly a calm one in which the server must recover and hours without a client, and a stop."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import shutil
import signal
import uuid
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from glm_tts_api import api_server, errors
from glm_tts_api.api.app_state import AppState
from glm_tts_api.durable import replace_file
from glm_tts_api.engine.child import ProcessHandle
from glm_tts_api.engine.frames import TO_SERVER
from glm_tts_api.http.drain import InFlight
from glm_tts_api.longform.reading import read_book
from glm_tts_api.settings import Settings
from glm_tts_api.speech.recent import RecentAnswers
from tests.api.project_folder import project
from tests.simulation import virtual
from tests.simulation.deeds import KEYS, Deeds
from tests.simulation.judge import Judge
from tests.simulation.processes import EngineProcess, Process
from tests.simulation.virtual import WrongError, require

_LIFESPAN: Any = api_server._lifespan
_HEALTHY_S = 2000.0  # until an engine speaks again after the last fault, of which a load may last 900 s
_JOBS_S = 40_000.0  # until all jobs are at rest
_WATCHDOG_S = 150.0  # after which no process is left that hangs or is stopped


class World(virtual.Record):
    """A server in the folder `root`."""

    parts: AppState
    _main: Any  # the task that lives the server's lives

    def __init__(self, seed: int, root: Path) -> None:
        self.loop, self.root = virtual.VirtualLoop(seed), root / "server"
        super().__init__(seed, self.loop)
        chance = self.chance = self.loop.chance
        self.processes: list[Process] = []
        self.n_out_of_memory = self.n_given_up = 0
        self.n_faults = 0  # that processes may still have
        self.is_hostile = False  # whether texts, files and clocks do harm
        self.full_until = 0.0  # the time at which the disk has room again
        self._stopped_at = 0.0  # the time of the last stop
        self._errors: list[BaseException] = []
        self.loop.grain = chance.choice([0.0, 0.05])
        self.n_engines = chance.choice([1, 1, 2, 2, 3])
        self.has_keys = chance.random() < 0.3
        self.pace = chance.choice([0.5, 1.0, 3.0])
        self.settings, self.app = self._settings(), _app(self.has_keys)
        self._patch = pytest.MonkeyPatch()
        self.judge, self.deeds = Judge(self), Deeds(self)

    @property
    def lives(self) -> list[Process]:
        return [each for each in self.processes if each.status is None]

    def stopped_since(self, at: float) -> bool:
        return self._stopped_at >= at or self.parts.in_flight.closing

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begins a task of the simulation, whose error ends the simulation."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                self._end(error)

        task = self.loop.create_task(work)
        task.add_done_callback(ended)
        return task

    def _end(self, error: BaseException) -> None:
        """Ends the simulation because of an error in a task, a callback or the log."""
        self._errors.append(error)
        self._main.cancel()

    def _settings(self) -> Settings:
        chance, root = self.chance, self.root
        shutil.rmtree(root, ignore_errors=True)
        settings: dict[str, Any] = {
            "workers": self.n_engines,
            "short_text_concurrency": chance.randint(1, 4),
            "long_text_concurrency": chance.randint(1, 2),
            "short_text_timeout": chance.choice([30, 60]),
            "medium_text_timeout": 120,
            "long_text_timeout": 240,
            "queue_max_size": chance.choice([2, 5, 30]),
            "idle_unload_s": chance.choice([0, 0, 30]),
            "drain_timeout": chance.choice([5, 60]),
            "asr_model_dir": root,
        }
        if self.has_keys:
            first, *others = KEYS
            settings |= {"api_keys": first, "api_keys_file": root / "keys.toml"}
            digests = {key: sha256(key.encode()).hexdigest() for key in others}
            tables = [f'[{key}]\nsha256 = "{digests[key]}"\n{KEYS[key]}' for key in others]
            root.mkdir()
            (root / "keys.toml").write_text("".join(tables))
        return Settings.load(project(root, **settings))

    # -- the lives of a server

    def run(self) -> None:
        self.loop.set_exception_handler(self._take_error)
        for name, value in _replacements(self).items():
            self._patch.setattr(name, value)
        try:
            with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
                runner.run(self._live())
        finally:
            self._patch.undo()
            if self._errors:
                raise self._errors[0]

    async def _live(self) -> None:
        self._main = asyncio.current_task()
        self._set_tick(1.0)
        for left in reversed(range(self.chance.choice([1, 1, 2, 3]))):
            await self._life(is_last=not left)
            if left:
                self.deeds.while_down()

    def lifespan(self, app: FastAPI, settings: Any, keys: Any, in_flight: InFlight, *others: Any) -> Any:
        in_flight.__init__()  # type: ignore[misc]
        keys = self.settings.read_keys()
        return _LIFESPAN(app, self.settings, keys, in_flight, *others[:-1], RecentAnswers())

    def _take_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._end(WrongError(f"asyncio: {context.get('message')} {context.get('exception')!r}"))

    def take_record(self, record: logging.LogRecord) -> None:
        """Notes that the recogniser was given up. Nobody expects an error with a traceback, unless it cut an
        answer that had begun."""
        message = record.getMessage()
        if "recogniser of speech" in message and ("hung" in message or "fault 1 " not in message):
            self.n_given_up += 1
        error = record.exc_info[1] if record.exc_info else None
        is_known = isinstance(error, (OSError, TimeoutError, errors.ServiceError))
        if error is not None and not is_known and not hasattr(errors, str(error).partition(";")[0]):
            self._end(WrongError(f"the log has a traceback: {logging.Formatter().format(record)}"))

    async def _life(self, *, is_last: bool) -> None:
        self.n_faults = self.chance.choice([0, 2, 5, 10])
        self.is_hostile = self.n_faults > 0
        async with self.app.router.lifespan_context(self.app):
            self.parts = self.app.state.parts
            self.note(f"a life begins: {self.n_engines} engines, {self.n_faults} faults")
            watch = self.start(self._watch())
            if not (self.is_hostile or self._stopped_at) and self.pace >= 1 and self.chance.random() < 0.5:
                await self.deeds.do_without_pause(2000.0)
            await self.deeds.do(self.chance.uniform(10.0, 200.0))
            if is_last or self.chance.random() < 0.5:
                await self._recover()
                for _ in range(self.chance.choice([1, 1, 3])):
                    await self._idle()
                    await self.deeds.do(self.chance.choice([0.0, 30.0]))
            await self._stop()
            watch.cancel()
        require(not self.lives, f"after the server's end {len(self.lives)} processes run")

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
        self._set_tick(10.0)
        await self.until(lambda: not self.judge.open_jobs(), _JOBS_S, "has finished its jobs")
        self._set_tick(1.0)
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
            require(self.loop.now <= until, f"within {within_s:.0f} s the server never {what}")
            await asyncio.sleep(self.tick_s)

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
        began = self._stopped_at = self.loop.now
        signal.raise_signal(signal.SIGTERM)
        await self.until(lambda: self.parts.in_flight.closing, 1.0, "stops")
        await self.until(lambda: not self.deeds.open, self.settings.drain_timeout + 30, "has ended")
        self.wait("stop", self.loop.now - began)


@cache
def _app(with_keys: bool) -> FastAPI:
    """Makes the app, which takes a second. World puts the parts of each life into it."""
    return api_server.create_app(Settings(_env_file=None, api_keys=("any",) if with_keys else ()))  # type: ignore[call-arg]


async def _for_ever(*_: Any) -> None:
    await asyncio.Event().wait()


async def _connect(process: Any, its: Any = TO_SERVER) -> ProcessHandle:
    return ProcessHandle(process, process.reader, process, its)


def _replacements(world: World) -> dict[str, Any]:
    """Returns the scripted parts that stand in the place of what takes real time, by their names. The times
    of files follow the simulated clock, and the disk can be full."""
    chance, touch = world.chance, Path.touch

    async def read_apart(data: str, name: str, **_: Any) -> Any:
        await asyncio.sleep(chance.random() * 0.3)
        return read_book(data, name), []

    def spawn(command: Sequence[str]) -> Any:
        process = EngineProcess(world) if "glm_tts_api.engine.process" in command else Process(world)
        if process.fault == "no process":
            world.reached["engine.fault.no process"] += 1
            process.die(1)
            raise OSError("too many processes")
        return process

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

    ours = {
        "api.v1.jobs.read_apart": read_apart,
        "api_server.keep_gauges": _for_ever,
        "api_server.keep_loop_lag": _for_ever,
        "api_server.keep_memory_small": _for_ever,
        "api_server._lifespan": world.lifespan,
        "engine.child.Spawned.of": staticmethod(spawn),
        "engine.child.ProcessHandle.connect": staticmethod(_connect),
        "engine.child._n_out_of_memory": lambda: world.n_out_of_memory,
        "longform.folder.replace_file": replace_with,
        "recognition.recogniser.Recogniser._missing": lambda recogniser: "",
        "recognition.recogniser.cpu_seconds": lambda pid: world.processes[pid].spent_s,
    }
    return {f"glm_tts_api.{name}": value for name, value in ours.items()} | {
        "anyio.to_thread.run_sync": lambda call, *args, **_: world.loop.run_in_executor(None, call, *args),
        "logging.Logger.callHandlers": lambda _, record: world.take_record(record),
        "pathlib.Path.touch": touched,
        "secrets.token_hex": lambda nbytes=32: chance.randbytes(nbytes).hex(),
        "tests.simulation.virtual.clock": world.loop,
        "uuid.uuid4": lambda: uuid.UUID(int=chance.getrandbits(128), version=4),
    }
