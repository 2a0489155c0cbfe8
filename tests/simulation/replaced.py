"""Puts scripted parts in the place of what takes real time: processes, other clocks, the disk's room."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from glm_tts_api import api_server
from glm_tts_api.api.v1 import jobs as job_routes
from glm_tts_api.durable import replace_file
from glm_tts_api.engine import child as child_module
from glm_tts_api.engine import client as client_module
from glm_tts_api.engine.child import Begun, Child
from glm_tts_api.engine.frames import TO_SERVER
from glm_tts_api.longform import folder as folder_module
from glm_tts_api.longform.folder import JobFolder
from glm_tts_api.longform.reading import read_book
from glm_tts_api.recognition import recogniser as recogniser_module
from glm_tts_api.recognition.recogniser import Recogniser
from tests.simulation.processes import EngineProcess, RecogniserProcess

if TYPE_CHECKING:
    from tests.simulation.world import World


@contextmanager
def replaced(world: World) -> Iterator[None]:
    """Replaces these parts inside the `with` block."""
    replacements = [*_of_processes(world), *_of_the_disk(world), *_of_tasks(world)]
    kept = [(owner, name, owner.__dict__[name]) for owner, name, _ in replacements]
    for owner, name, value in replacements:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in kept:
            setattr(owner, name, value)


Replacement = tuple[Any, str, Any]


def _of_processes(world: World) -> list[Replacement]:
    def begin(command: Sequence[str]) -> Any:
        is_engine = "glm_tts_api.engine.process" in command
        plan = world.plan_of(is_engine)
        if plan.load_fault == "no process":
            world.reach("engine.load.no process")
            raise OSError("too many processes")
        process = EngineProcess(world, plan) if is_engine else RecogniserProcess(world, plan)
        world.processes.append(process)
        world.note(f"{process.name} {process.pid} begins: {plan}")
        return process, None

    async def heard_from(begun: Any, its: Any = TO_SERVER) -> Child:
        return Child(begun[0], begun[0].reader, begun[0], its)

    fail = Recogniser._fail

    async def failed(recogniser: Recogniser, what: str) -> None:
        world.reach(f"recogniser.{what.partition(' ')[0]}")
        if what == "hung" or recogniser._n_faults:
            world.reach("recogniser.gave up")
        await fail(recogniser, what)

    return [
        (Begun, "of", staticmethod(begin)),
        (Child, "heard_from", staticmethod(heard_from)),
        (Child, "_wait", lambda child, within_s: child._process.wait(within_s)),
        (child_module, "_n_out_of_memory", lambda: world.n_out_of_memory),
        (
            recogniser_module,
            "cpu_seconds",
            lambda pid: sum(p.spent_s for p in world.processes if p.pid == pid),
        ),
        (Recogniser, "_fail", failed),
        (Recogniser, "_missing", lambda recogniser: ""),
    ]


def _of_the_disk(world: World) -> list[Replacement]:
    """The times of files follow the simulated clock, and the disk can be full. Each file that is replaced
    passes failpoints."""
    touch, write = Path.touch, JobFolder.write

    def set_time(path: Path) -> None:
        at = world.loop.now + world.loop.wall_offset
        with suppress(OSError):
            os.utime(path, (at, at))

    def touched(path: Path, *args: Any, **options: Any) -> None:
        touch(path, *args, **options)
        set_time(path)

    def written(folder: JobFolder, job: Any) -> None:
        write(folder, job)
        set_time(folder.path / "job.json")

    def replace_with(path: Path, data: bytes) -> None:
        kind = "audio" if path.suffix == ".flac" else path.name
        world.reach(f"disk.{kind}.before")
        if world.disk_is_full:
            world.reach(f"disk.{kind}.full")
            raise OSError(errno.ENOSPC, "No space left on device")
        replace_file(path, data)
        world.reach(f"disk.{kind}.after")

    return [
        (Path, "touch", touched),
        (JobFolder, "write", written),
        (folder_module, "replace_file", replace_with),
    ]


def _of_tasks(world: World) -> list[Replacement]:
    async def read_apart(data: str, name: str, **_: Any) -> Any:
        await asyncio.sleep(world.chance.random() * 0.3)
        return read_book(data, name), []

    async def for_ever(*_: Any) -> None:
        await asyncio.Event().wait()

    async def to_thread(call: Any, *args: Any, **_: Any) -> Any:
        return await world.loop.run_in_executor(None, lambda: call(*args))

    return [
        (job_routes, "read_apart", read_apart),
        (anyio.to_thread, "run_sync", to_thread),
        (api_server, "keep_gauges", for_ever),
        (api_server, "keep_loop_lag", for_ever),
        (api_server, "keep_memory_small", for_ever),
        (api_server, "_LOOK_EVERY_S", 1.0),
        (client_module, "_LOOK_EVERY_S", world.beat_s),
    ]
