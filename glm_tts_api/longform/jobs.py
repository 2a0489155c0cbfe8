"""Runs the jobs of a server, and pauses, resumes, cancels and deletes jobs as their owners ask. Uses asyncio;
knows no HTTP and no engine.

Two servers never run the same job: only the process that holds the lock of a job's folder runs, changes or
deletes the job.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from typing import Final, get_args

import numpy as np

from glm_tts_api.contracts import JobState
from glm_tts_api.errors import (
    DeadlineExceeded,
    InternalFault,
    JobRefuses,
    JobRuns,
    NothingToSay,
    ServiceError,
    StorageFull,
    Unavailable,
)
from glm_tts_api.longform.folder import JobFolder, on_disk
from glm_tts_api.longform.job import Job, Speak, Spoken, Unit
from glm_tts_api.longform.shelf import JobsConfig, Look, Shelf, no_such_job
from glm_tts_api.longform.speech import remove_damaged

logger = logging.getLogger(__name__)
PATIENCE_S = 5.0  # how long another server has to release a job's lock
_TRY_EVERY_S = 0.05
_LOOK_EVERY_S = 1.0
_AFTER_FAULT_S = 30.0
_SWEEP_EVERY_S = 600.0
_AT_ONCE = 4  # units of one job that are spoken at a time
_ATTEMPTS = 3  # how often a unit is tried if its errors do not say when to try again
_AGAIN_S = 1.0
# For each state that a request may ask for: the states that a job can be in before.
_BEFORE: Final[dict[JobState, tuple[JobState, ...]]] = {
    "paused": ("queued", "running", "paused"),
    "queued": ("queued", "running", "paused", "failed", "done"),
    "cancelled": ("queued", "running", "paused", "failed", "cancelled"),
}
_FAULT = "A fault of the server; its log has the details. Resume tries again."

SpeakOf = Callable[[JobFolder, Job], Speak]
"""A function that prepares a job and returns the function that speaks its units. Blocking. Raises
ServiceError."""
Sees = Callable[[str], bool]
"""A function that takes the owner of a job and returns whether the asking client may see that owner's jobs.
To the client, all other jobs do not exist."""


class Jobs:
    """All jobs of a server. `speak_of` returns the function that speaks the units of a job. `count_unit` is
    called once for each unit that was spoken. `n_owners` returns how many clients may own jobs."""

    def __init__(
        self,
        config: JobsConfig,
        speak_of: SpeakOf,
        *,
        count_unit: Callable[[], None] = lambda: None,
        n_owners: Callable[[], int] = lambda: 1,
    ) -> None:
        self._shelf = Shelf(config, n_owners)
        self._speak_of, self._count_unit = speak_of, count_unit
        self._changed = asyncio.Event()

    # -- requests for jobs

    async def create(self, job: Job, write: Callable[[JobFolder], None]) -> Look:
        """Makes the new job and returns it. `write` is called with the new folder and writes the job there;
        it may block. Raises StorageFull, Unhealthy, and the errors of `write`; after an error the folder is
        removed."""
        self._shelf.require_room(job.owner)
        folder = self._shelf.folder(job.id)

        def make() -> Look:
            try:
                with on_disk():
                    folder.path.mkdir(parents=True)
                    write(folder)
            except BaseException:
                with suppress(OSError):
                    folder.delete()
                raise
            return self._shelf.found(job.id)

        look = await asyncio.to_thread(make)
        self._changed.set()
        return look

    async def all(self, sees: Sees) -> list[Look]:
        """Returns the jobs whose owner passes `sees`, the newest first."""
        await asyncio.to_thread(self._shelf.refresh)
        seen = [look for look in self._shelf.looks if sees(look.job.owner)]
        return sorted(seen, key=lambda look: -look.job.created_at)

    def states(self) -> dict[JobState, int]:
        """Returns how many jobs are in each state, as of the last look at the disk."""
        counts = dict.fromkeys(get_args(JobState), 0)
        for look in self._shelf.looks:
            counts[look.state] += 1
        return counts

    async def get(self, id: str, sees: Sees) -> Look:
        """Returns the job with this id. Raises UnknownJob where there is none, or where `sees` refuses its
        owner."""
        look = await asyncio.to_thread(self._shelf.found, id)
        if not sees(look.job.owner):
            raise no_such_job()
        return look

    async def change(self, id: str, sees: Sees, to: JobState) -> Look:
        """Pauses, resumes or cancels the job with this id: `to` is the new state paused, queued or cancelled.
        To pause or cancel, a run of the job in this server is stopped first. Raises UnknownJob, JobRefuses
        (the job's state does not allow the change), JobRuns (another server does not release the job within 5
        seconds), StorageFull and Unhealthy. If the disk cannot be written, the job keeps the state in which
        this server knew it, which a full disk may lack."""
        async with self._changing(id, sees) as look:
            if to != "queued":
                await _stop(look)
            known = look.job
            if look.task is None:
                await asyncio.to_thread(look.read_again)
            _require_way(look, to)
            if look.job.state != to:
                async with _held(look.folder):
                    await asyncio.to_thread(look.read_again)
                    _require_way(look, to)
                    try:
                        await asyncio.to_thread(look.write, to, "")
                    except OSError:
                        look.job = known
                        raise
        self._changed.set()
        return look

    async def delete(self, id: str, sees: Sees) -> None:
        """Stops the job with this id and deletes its folder, also on a full disk. Raises UnknownJob, JobRuns,
        Unhealthy."""
        async with self._changing(id, sees) as look:
            await _stop(look)
            async with _held(look.folder):
                await asyncio.to_thread(look.folder.delete)
            self._shelf.forget(id)

    @asynccontextmanager
    async def _changing(self, id: str, sees: Sees) -> AsyncIterator[Look]:
        """Gives the job with this id to the `async with` block, one block after the other, so that changes of
        a job follow one another within this server. Raises UnknownJob if an earlier change has deleted the
        job, StorageFull, Unhealthy."""
        look = await self.get(id, sees)
        try:
            with on_disk():
                async with look.changing:
                    yield look
        except FileNotFoundError:
            raise no_such_job() from None

    # -- running the jobs

    async def keep_going(self, is_stopping: Callable[[], bool]) -> None:
        """Runs the queued jobs until `is_stopping` returns true or the task is cancelled. Meanwhile follows
        the changes that other servers make, and deletes old jobs. At the end all running jobs are stopped;
        the units that are being spoken then are lost, and the next run of the job speaks them again."""
        shelf, swept_at, told = self._shelf, float("-inf"), ""
        try:
            while not is_stopping():
                try:
                    await asyncio.to_thread(shelf.refresh)
                    for look in await asyncio.to_thread(shelf.look_again):
                        await _stop(look)
                        look.not_before = time.monotonic() + PATIENCE_S
                    for look in shelf.next():
                        look.task = asyncio.create_task(self._run(look))
                    if time.monotonic() > swept_at + _SWEEP_EVERY_S:
                        swept_at = time.monotonic()
                        await asyncio.to_thread(shelf.remove_old)
                except OSError as error:
                    if told != (told := str(error)):
                        logger.error("JOBS_DIR cannot be read: %s", error)
                self._changed.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), _LOOK_EVERY_S)
        finally:
            for look in shelf.looks:
                await _stop(look)

    async def _run(self, look: Look) -> None:
        """Works on the job while this server holds its lock."""
        try:
            with look.folder.locked():
                look.runs_elsewhere = False
                await asyncio.to_thread(look.read_again)
                if look.job.state == "queued":
                    await self._work(look)
        except JobRuns:
            look.runs_elsewhere = True
            look.not_before = time.monotonic() + _LOOK_EVERY_S
            with suppress(Exception):  # a folder that cannot be read is left to the server that runs it
                await asyncio.to_thread(look.read_again)
        except Exception:
            look.not_before = time.monotonic() + _AFTER_FAULT_S
            logger.exception("Job %s cannot be run", look.job.id)
        finally:
            look.task = look.pace_s = None
            self._changed.set()

    async def _work(self, look: Look) -> None:
        """Cuts the job's text into units if that is not done yet; else speaks all units that are not spoken.
        Then writes the job's new state: done, paused on a full disk, or failed after any other error, the two
        with a message that says why. On a full disk only `look` gets it."""
        state: JobState = "done"
        message = ""
        try:
            with on_disk():
                if not look.job.n_units:
                    await _plan(look)
                    return
                await self._speak(look)
        except ServiceError as error:
            state, message = ("paused" if isinstance(error, StorageFull) else "failed"), error.message
            logger.error("Job %s %s: %s", look.job.id, "is paused" if state == "paused" else state, message)
        except Exception:
            state, message = "failed", _FAULT
            logger.exception("Job %s failed", look.job.id)
        try:
            await asyncio.to_thread(look.write, state, message)
        except OSError as error:
            logger.error("The state of job %s cannot be written: %s", look.job.id, error)

    async def _speak(self, look: Look) -> None:
        """Speaks all units that are missing. Then reads the audio of all units, and speaks again those whose
        files are damaged. Raises InternalFault if their new files are damaged too."""
        speak = await asyncio.to_thread(self._speak_of, look.folder, look.job)
        begun_at, n_spoken = time.monotonic(), 0

        async def speak_unit(unit: Unit) -> Spoken:
            self._shelf.require_room(look.job.owner)
            return await speak(unit)

        def progress() -> None:
            nonlocal n_spoken
            n_spoken += 1
            look.pace_s = (time.monotonic() - begun_at) / n_spoken
            self._count_unit()

        for _ in range(2):
            await run_job(look, speak_unit, at_once=_AT_ONCE, progress=progress)
            if not await asyncio.to_thread(remove_damaged, look):
                return
            await asyncio.to_thread(look.read_again)
        raise InternalFault("The job's audio cannot be read from the disk: examine the disk, then resume.")


@asynccontextmanager
async def _held(folder: JobFolder) -> AsyncIterator[None]:
    """Holds the lock of the job's folder inside the `async with` block. If another server holds the lock, the
    lock is requested through the file `wanted`, and the call waits. Raises JobRuns if the other server has
    not released the lock within 5 seconds."""
    until = time.monotonic() + PATIENCE_S
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(folder.locked())
                break
            except JobRuns:
                if time.monotonic() > until:
                    raise
                await asyncio.to_thread(folder.want)
                await asyncio.sleep(_TRY_EVERY_S)
        await asyncio.to_thread(folder.take_wish)
        yield


async def _stop(look: Look) -> None:
    if (task := look.task) is not None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        look.task = None  # a task that was cancelled before its first step has not reset `look.task`


async def _plan(look: Look) -> None:
    stop = threading.Event()
    planning = asyncio.ensure_future(asyncio.to_thread(look.folder.plan, stop.is_set))
    try:
        await asyncio.shield(planning)
    finally:
        stop.set()
        await asyncio.gather(planning, return_exceptions=True)
    await asyncio.to_thread(look.read_again)


def _require_way(look: Look, to: JobState) -> None:
    if look.state not in _BEFORE[to]:
        verb = "resumed" if to == "queued" else to
        raise JobRefuses(f"The job is {look.state}: it cannot be {verb}.")


async def run_job(
    look: Look, speak: Speak, *, at_once: int = 1, progress: Callable[[], None] = lambda: None
) -> None:
    """Speaks all units of the job that are missing, `at_once` of them at a time, and writes each to the disk.
    Returns once every unit is on the disk. `look.made` is kept up to date. `progress` is called after each
    unit. The caller holds the folder's lock. Raises OSError, and the ServiceError of a unit that cannot be
    spoken. Units that were finished before stay on the disk."""
    folder, made = look.folder, look.made
    await asyncio.to_thread(folder.sweep)
    units = folder.units(without=made)

    async def work() -> None:
        for unit in units:
            spoken = await _spoken(unit, speak, look.job.sample_rate)
            keeping = asyncio.ensure_future(asyncio.to_thread(folder.keep, unit, spoken))
            try:
                await asyncio.shield(keeping)
            finally:  # a unit that is written while the run is cancelled counts too
                made.add(unit.index, *await keeping)
            progress()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _spoken(unit: Unit, speak: Speak, sample_rate: int) -> Spoken:
    """Speaks a unit with `speak`, and tries again after temporary errors, such as a model that is not loaded
    yet. Errors that say when to try again are repeated without limit; of the others, the third is raised. A
    unit with nothing to say gives an empty array of samples."""
    faults = 0
    while True:
        try:
            return await speak(unit)
        except NothingToSay:
            return Spoken(np.zeros(0, np.float32), sample_rate)
        except (InternalFault, DeadlineExceeded, Unavailable) as error:
            wait_s = error.retry_after_s
            faults += wait_s is None
            if faults == _ATTEMPTS:
                raise
            logger.warning("Unit %d is spoken again: %s", unit.index, error.message)
            await asyncio.sleep(wait_s or _AGAIN_S)
